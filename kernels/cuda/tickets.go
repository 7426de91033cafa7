package cuda

import "artel/kernels/cuda/driver"

// tickets tell how far the stream is: behind the work of each lies the record of an event. Events are used again, so that waiting for an old ticket may wait for a later one.
type tickets struct {
	events       [8]driver.Event
	issued, done uint64
	behind       bool // something was queued since the last one
}

func (t *tickets) event(ticket uint64) driver.Event { return t.events[ticket%uint64(len(t.events))] }

// submit hands what is recorded to the device and returns a ticket for all work so far.
func (d *device) submit() uint64 {
	defer d.enter()()
	d.flush()
	t := &d.tickets
	if t.behind {
		t.issued++
		t.behind = false
		d.fail(d.api.EventRecord(t.event(t.issued), d.stream))
	}
	return t.issued
}

// wait waits for the work of a ticket.
func (d *device) wait(ticket uint64) error {
	defer d.enter()()
	if t := &d.tickets; ticket > t.done {
		d.fail(d.api.EventSynchronize(t.event(ticket)))
		d.calls.met()
		t.done = ticket
	}
	return d.take()
}

// idle waits for all work; then nothing reads the staging buffer any more.
func (d *device) idle() {
	d.fail(d.api.StreamSynchronize(d.stream))
	d.calls.drop()
	d.tickets.done, d.tickets.behind = d.tickets.issued, false
	d.staging.part, d.staging.used, d.staging.tickets = 0, 0, [stagingParts]uint64{}
}
