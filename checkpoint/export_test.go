package checkpoint

// SaveShards is Save with another limit on the data of one file.
var SaveShards = save

// Resum reads SHA256SUMS and writes it again.
func Resum(text []byte) ([]byte, error) {
	s, err := parseSums(text)
	return s.encode(), err
}
