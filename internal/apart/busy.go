package apart

// busy runs ops on a goroutine of its own as soon as it can. The two goroutines meet as the contract says and nowhere else: an op comes after its call, and the host
// goes on after the ops that it waits for. So the race detector finds memory that both use.
type busy struct {
	ops   chan op
	done  []chan struct{} // by ticket
	first uint64          // ticket before them
}

type op struct {
	run  func()
	done chan struct{}
}

// Start makes ops run beside the host from now on, until stop, which waits for them.
func (d *Device) Start() (stop func()) {
	d.reach(d.queued)
	b := &busy{ops: make(chan op, 1<<16), first: d.queued}
	d.busy = b
	go func() {
		for o := range b.ops {
			o.run()
			close(o.done)
		}
	}()
	return func() {
		b.wait(d.queued)
		close(b.ops)
		d.ran, d.busy = d.queued, nil
	}
}

func (b *busy) push(f func()) {
	o := op{f, make(chan struct{})}
	b.done = append(b.done, o.done)
	b.ops <- o
}

func (b *busy) wait(ticket uint64) {
	if ticket > b.first {
		<-b.done[ticket-b.first-1]
	}
}
