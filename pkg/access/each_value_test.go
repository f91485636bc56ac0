package access_test

import (
	"testing"

	"github.com/rolewarden/rolewarden/pkg/access"
)

// Of the values that a condition lists, and of those that a key has, each
// counts, wherever it stands: one that matches, one that does not, and one of
// which nobody knows.
func TestEachValueCountsWhereverItStands(t *testing.T) {
	const arn = `"k":"arn:aws:iam::111122223333:role/app"`
	const fits, fitsNot, noARN = "arn:aws:iam::111122223333:role/*", "arn:aws:iam::111122223333:user/*", "role/app"
	holds(t, "2012-10-17", []row{
		{on("ArnLike", "k", fits, fitsNot), arn, yes},
		{on("ArnLike", "k", fitsNot, fits), arn, yes},
		{on("ArnLike", "k", fitsNot, noARN), arn, open},
		{on("ArnLike", "k", noARN, fitsNot), arn, open},
		{on("ArnLike", "k", noARN, fits), arn, yes},
		{on("ArnNotLike", "k", fits, fitsNot), arn, no},
		{on("ArnNotLike", "k", fitsNot, fits), arn, no},
		{on("ArnNotLike", "k", noARN, fitsNot), arn, open},
		{on("ForAnyValue:StringEquals", "k", "a"), `"k":["a","b"]`, yes},
		{on("ForAnyValue:StringEquals", "k", "a"), `"k":["b","a"]`, yes},
		{on("ForAllValues:StringEquals", "k", "a"), `"k":["a","b"]`, no},
		{on("ForAllValues:StringEquals", "k", "a"), `"k":["b","a"]`, no},
		{on("ForAllValues:StringEquals", "k", "a", "b"), `"k":["b","a"]`, yes},
		{on("ForAnyValue:Bool", "k", "true"), `"k":["TRUE","false"]`, open},
		{on("ForAnyValue:Bool", "k", "true"), `"k":["false","TRUE"]`, open},
		{on("ForAllValues:Bool", "k", "true"), `"k":["TRUE","true"]`, open},
		{on("ForAllValues:Bool", "k", "true"), `"k":["TRUE","false"]`, no},
	})
}

// The guide says what true and false are, and nothing of other words, though
// they be the same; nor of bytes that are spelled in two ways.
func TestOtherSpellingsAreNotSettled(t *testing.T) {
	holds(t, "2012-10-17", []row{
		{on("Bool", "k", "yes"), `"k":"yes"`, open},
		{on("Bool", "k", "yes"), `"k":"no"`, no},
		{on("BinaryEquals", "k", "QQ=="), `"k":"QR=="`, open},
		{on("BinaryEquals", "k", "QR=="), `"k":"QR=="`, yes},
	})
}

// The five orders of numbers and of dates, below the bound, at it and above it.
func TestEveryOrderAtItsBound(t *testing.T) {
	numbers, dates := []string{"9", "10", "11"}, []string{"2026-05-31T23:59:59Z", "2026-06-01T00:00:00Z", "2026-06-01T00:00:01Z"}
	for order, want := range map[string][3]access.Tri{
		"Equals": {no, yes, no}, "NotEquals": {yes, no, yes},
		"LessThan": {yes, no, no}, "LessThanEquals": {yes, yes, no},
		"GreaterThan": {no, no, yes}, "GreaterThanEquals": {no, yes, yes},
	} {
		for i, w := range want {
			holds(t, "2012-10-17", []row{
				{on("Numeric"+order, "k", numbers[1]), `"k":"` + numbers[i] + `"`, w},
				{on("Date"+order, "k", dates[1]), `"k":"` + dates[i] + `"`, w},
			})
		}
	}
}
