package chaos

import (
	"hash/maphash"
	"reflect"
	"time"
)

// digests makes numbers of values, such that equal values have equal numbers
// within one process. It reads private fields too, so that the whole memory of
// a ledger counts, whatever it holds; functions and locks do not count.
type digests struct{ seed maphash.Seed }

func newDigests() digests { return digests{maphash.MakeSeed()} }

// mix joins two numbers; order matters.
func mix(a, b uint64) uint64 {
	a ^= b + 0x9e3779b97f4a7c15 + (a << 6) + (a >> 2)
	a *= 0xff51afd7ed558ccd
	return a ^ (a >> 33)
}

func (d digests) text(s string) uint64 { return maphash.String(d.seed, s) }

func (d digests) moment(t time.Time) uint64 { return uint64(t.UnixNano()) }

func (d digests) of(v any) uint64 { return d.value(reflect.ValueOf(v)) }

var timeType = reflect.TypeFor[time.Time]()

func (d digests) value(v reflect.Value) uint64 {
	switch v.Kind() {
	case reflect.Invalid:
		return 1
	case reflect.Bool:
		if v.Bool() {
			return 3
		}
		return 2
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return mix(5, uint64(v.Int()))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return mix(7, v.Uint())
	case reflect.String:
		return d.text(v.String())
	case reflect.Pointer, reflect.Interface:
		if v.IsNil() {
			return 11
		}
		return mix(13, d.value(v.Elem()))
	case reflect.Struct:
		return d.fields(v)
	case reflect.Slice, reflect.Array:
		h := mix(17, uint64(v.Len()))
		for i := range v.Len() {
			h = mix(h, d.value(v.Index(i)))
		}
		return h
	case reflect.Map:
		h := uint64(v.Len())
		for i := v.MapRange(); i.Next(); {
			// A sum, since a map has no order.
			h += mix(d.value(i.Key()), d.value(i.Value()))
		}
		return mix(19, h)
	default:
		return 23
	}
}

func (d digests) fields(v reflect.Value) uint64 {
	if v.Type() == timeType {
		// Clocks of the simulation are plain: no monotonic part, all in UTC.
		return mix(v.Field(0).Uint(), uint64(v.Field(1).Int()))
	}
	if v.Type().PkgPath() == "sync" {
		return 29
	}
	h := uint64(31)
	for i := range v.NumField() {
		h = mix(h, d.value(v.Field(i)))
	}
	return h
}
