package checkpoint

// SaveShards is Save with another limit on the data of one file.
var SaveShards = save
