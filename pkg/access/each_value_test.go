package access_test

import "testing"

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
