package logs

import (
	"math"
	"time"

	"github.com/muster-dev/muster/convergence/engine"
)

const (
	// batchSize is how much text a batch takes before it is handed on, in bytes, and batchLines how many items.
	batchSize  = 16 << 10
	batchLines = 256
	// leastBatch is the size of a batch where very many containers are read at once.
	leastBatch = 4 << 10
	// leastLimit is where the longest lines are cut then.
	leastLimit = 64 << 10
	// textAtOnce bounds what all lanes together hold of text, in bytes, as long as lines are short.
	textAtOnce = 16 << 20
	// aheadHistory and aheadLive are how many batches a container is read ahead. The first lets the engine write on where others write
	// more for a while, at leastAhead where very many are read at once. The second fills the time in which lines are held back, at the
	// rate of a burst.
	aheadHistory, leastAhead, aheadLive = 16, 3, 32
)

// batch is items of one container on their way from its tail to the merger. The two hand the same few to and fro.
type batch struct {
	source  Source
	text    []byte
	records []record
	next    int       // record
	arrived time.Time // when its first item was at hand
	turn    int       // among all that the merger has taken
}

// record is an item of a batch.
type record struct {
	at         int64 // nanoseconds of the epoch, unstamped where nobody knows
	start, end uint32
	stream     engine.Stream
	cut        bool
	mark       *Item // where it is no line
}

// unstamped sorts before every moment.
const unstamped = math.MinInt64

func nanoseconds(at time.Time) int64 {
	if at.IsZero() {
		return unstamped
	}
	return at.UnixNano()
}

func (b *batch) line(stream engine.Stream, at time.Time, text []byte, cut bool) {
	start := len(b.text)
	b.text = append(b.text, text...)
	b.records = append(b.records, record{
		at: nanoseconds(at), start: uint32(start), end: uint32(len(b.text)), //nolint:gosec // far below 4 GB
		stream: stream, cut: cut,
	})
}

func (b *batch) mark(item Item) {
	b.records = append(b.records, record{at: nanoseconds(item.Time), mark: &item})
}

// item is an record of the batch. Its text is the batch's.
func (b *batch) item(e *record) Item {
	if e.mark != nil {
		return *e.mark
	}
	item := Item{Kind: KindLine, Line: Line{Source: b.source, Stream: e.stream, Text: b.text[e.start:e.end:e.end], Cut: e.cut}}
	if e.at != unstamped {
		item.Time = time.Unix(0, e.at).UTC()
	}
	return item
}

// add takes the items of another one over.
func (b *batch) add(other *batch) {
	base := uint32(len(b.text)) //nolint:gosec // far below 4 GB
	b.text = append(b.text, other.text...)
	for _, e := range other.records {
		e.start, e.end = e.start+base, e.end+base
		b.records = append(b.records, e)
	}
}

// empty makes a batch ready to be filled again. What one long line has made large is let go.
func (b *batch) empty() *batch {
	if cap(b.text) > 2*batchSize {
		b.text = nil
	}
	clear(b.records) // marks
	b.text, b.records, b.next = b.text[:0], b.records[:0], 0
	return b
}

// share is what each of so many lanes may hold: the size of a batch, how many of a history, and how long a line may become before it
// is cut.
func share(lanes int) (size, ahead, line int) {
	lanes = max(lanes, 1)
	size = min(batchSize, max(leastBatch, textAtOnce/lanes/leastAhead))
	ahead = min(aheadHistory, max(leastAhead, textAtOnce/lanes/size))
	return size, ahead, min(lineLimit, max(leastLimit, textAtOnce/lanes))
}
