package checkpoint

import (
	"os"
	"runtime"
)

// File is a file being written: Write appends, Sync makes durable what was written.
type File interface {
	Write(p []byte) (int, error)
	Sync() error
	Close() error
}

// FS is what Save and Prune need of a file system; Disk is the usual one. Errors for names that exist or do not exist must
// match fs.ErrExist and fs.ErrNotExist.
type FS struct {
	Mkdir     func(dir string) error                       // makes one directory
	Create    func(path string) (File, error)              // makes a new file
	Rename    func(from, to string) error                  // within one directory, to a name that is free
	RemoveAll func(path string) error                      // removes a tree; nothing there is no error
	SyncDir   func(dir string) error                       // makes the names in dir durable
	ReadDir   func(dir string) (names []string, err error) // in any order
}

// Disk returns the machine's file system.
func Disk() FS {
	return FS{
		Mkdir:     func(dir string) error { return os.Mkdir(dir, 0o777) },
		Create:    func(path string) (File, error) { return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666) },
		Rename:    os.Rename,
		RemoveAll: os.RemoveAll,
		SyncDir:   syncDir,
		ReadDir:   readDir,
	}
}

// syncDir syncs a directory. Windows cannot; its file systems log names themselves.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}

func readDir(dir string) ([]string, error) {
	list, err := os.ReadDir(dir)
	names := make([]string, len(list))
	for i, e := range list {
		names[i] = e.Name()
	}
	return names, err
}
