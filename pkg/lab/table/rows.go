package table

import (
	"hash/fnv"
	"slices"
	"strings"
)

// partition holds the items of one partition key, in the order of their sort
// keys.
type partition struct {
	rows []row
	// earlier is what the rows that the last write touched were before; what
	// was not there has no item.
	earlier []row
	write   uint64
}

type row struct {
	sort Value
	item Item
	size int
}

// find gives where a sort key stands or would stand.
func find(rows []row, sort Value) (int, bool) {
	return slices.BinarySearchFunc(rows, sort, func(r row, s Value) int { return r.sort.compare(s) })
}

// get reads one item; nil when there is none.
func (t *table) get(k rowKey, view View) Item {
	p, ok := t.parts[k.part]
	if !ok {
		return nil
	}
	if view == Stale {
		if i := slices.IndexFunc(p.earlier, func(r row) bool { return r.sort.equal(k.sort) }); i >= 0 {
			return p.earlier[i].item
		}
	}
	if i, ok := find(p.rows, k.sort); ok {
		return p.rows[i].item
	}
	return nil
}

// seen are a partition's rows as a read shows them: a stale one shows them
// as they were before the partition's last write.
func (p *partition) seen(view View) []row {
	if view != Stale || len(p.earlier) == 0 {
		return p.rows
	}
	out := slices.Clone(p.rows)
	for _, e := range p.earlier {
		i, ok := find(out, e.sort)
		switch {
		case ok && e.item == nil:
			out = slices.Delete(out, i, i+1)
		case ok:
			out[i] = e
		case e.item != nil:
			out = slices.Insert(out, i, e)
		}
	}
	return out
}

// store writes an item, or removes it where it is nil. Writes of one number
// are one write.
func (t *table) store(k rowKey, i Item, write uint64) {
	p, ok := t.parts[k.part]
	if !ok {
		if i == nil {
			return
		}
		p = &partition{}
		t.parts[k.part], t.order = p, nil
	}
	if p.write != write {
		p.write, p.earlier = write, nil
	}
	at, ok := find(p.rows, k.sort)
	before := row{sort: k.sort}
	if ok {
		before = p.rows[at]
	}
	p.earlier = append(p.earlier, before)
	now := row{sort: k.sort, item: i, size: i.size()}
	switch {
	case ok && i == nil:
		p.rows = slices.Delete(p.rows, at, at+1)
	case ok:
		p.rows[at] = now
	case i != nil:
		p.rows = slices.Insert(p.rows, at, now)
	}
}

// scanOrder gives the partitions in the order of a scan, which is that of no
// key.
func (t *table) scanOrder() []string {
	if t.order == nil {
		t.order = make([]string, 0, len(t.parts))
		for name := range t.parts {
			t.order = append(t.order, name)
		}
		slices.SortFunc(t.order, inScan)
	}
	return t.order
}

func inScan(a, b string) int {
	x, y := scattered(a), scattered(b)
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	default:
		return strings.Compare(a, b)
	}
}

func scattered(part string) uint64 {
	h := fnv.New64a()
	// Writing to a hash cannot fail.
	_, _ = h.Write([]byte(part))
	return h.Sum64() * 0x9e3779b97f4a7c15
}
