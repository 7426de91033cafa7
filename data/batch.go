package data

// Rows is the part of a batch that comes from one domain: rows [Row0, Row0+N).
type Rows struct {
	Domain  int
	Row0, N int
	Dense   []float32 // [N*width], or nil
	IDs     []int32   // ids of all bags, or nil
	Off     []int32   // [N+1]: bag i is IDs[Off[i]:Off[i+1]]
}

// Segment says that rows [Row0, Row0+N) of the batch count for a task. Rows that several tasks share are in a segment of each.
type Segment struct {
	Task    int
	Row0, N int
	Labels  []int32   // [N] classes, -1 for a missing one; nil for a task with values
	Values  []float32 // [N*outputs], NaN for a missing one; nil for a task with classes
}

// Batch is the rows of one pass, in host memory that the loader uses again.
type Batch struct {
	Rows     int
	Domains  []Rows
	Segments []Segment
	Keys     []int32 // [Rows*2]: a number for every row, different for all rows of a run: key of row-wise random numbers

	cursor Cursor // state after this batch
	store  storage
}

// storage is the memory behind a batch; it only grows.
type storage struct {
	dense  [][]float32 // by domain
	ids    [][]int32
	off    [][]int32
	labels [][]int32   // by task
	values [][]float32 // by task
	row    Row
}

// Cursor is a position in the stream of training batches.
type Cursor struct {
	Batch int64    // batches made
	Pos   []uint64 // rows made, by domain
}

// copyTo copies c into dst without allocating once dst is large enough.
func (c *Cursor) copyTo(dst *Cursor) {
	dst.Batch = c.Batch
	dst.Pos = append(dst.Pos[:0], c.Pos...)
}
