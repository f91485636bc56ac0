package awsapi

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/rolewarden/rolewarden/pkg/role"
)

// maxBody leaves room in an item, which has 400 KB, for its keys and other attributes.
const maxBody = 380_000

// maxPlain bounds what one body may unfold to.
const maxPlain = 4 << 20

// squeezeFrom is the length from which squeezing pays.
const squeezeFrom = 1024

// squeezed is how gzip begins.
var squeezed = []byte{0x1f, 0x8b}

// form is the version of the records; another is not read.
const (
	form     = "form"
	thisForm = 1
)

// packed makes an item with a record as its body.
func packed(key item, record any) (item, error) {
	content, err := pack(record)
	if err != nil {
		return nil, err
	}
	key[body], key[form] = content, number(thisForm)
	return key, nil
}

// pack makes one attribute of a record, in JSON. A trust policy has at most a
// few thousand characters besides white space, so two of the largest fit many
// times over.
func pack(record any) (types.AttributeValue, error) {
	plain, err := json.Marshal(record)
	if err != nil {
		return nil, fmt.Errorf("writing a record: %w", err)
	}
	return packBytes(plain)
}

// packBytes makes one attribute, squeezed when it is long.
func packBytes(plain []byte) (types.AttributeValue, error) {
	if len(plain) > maxPlain {
		return nil, fmt.Errorf("writing a record: it has %d bytes and may have %d: %w", len(plain), maxPlain, role.ErrLimit)
	}
	if len(plain) < squeezeFrom && !bytes.HasPrefix(plain, squeezed) {
		return &types.AttributeValueMemberB{Value: plain}, nil
	}
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(plain); err != nil {
		return nil, fmt.Errorf("squeezing a record: %w", err)
	}
	if err := z.Close(); err != nil {
		return nil, fmt.Errorf("squeezing a record: %w", err)
	}
	if b.Len() > maxBody {
		return nil, fmt.Errorf("writing a record: it has %d bytes squeezed and may have %d: %w", b.Len(), maxBody, role.ErrLimit)
	}
	return &types.AttributeValueMemberB{Value: b.Bytes()}, nil
}

// broken says which item of the table cannot be read, and why.
func broken(i item, why error) error {
	return fmt.Errorf("reading the item %q, %q of the ledger's table: %w", textOf(i, partKey), textOf(i, sortKey), why)
}

// unpack reads the record that pack made, of an item that packed made.
func unpack[T any](i item, name string) (T, error) {
	var record T
	plain, err := unpackBytes(i, name)
	if err != nil {
		return record, err
	}
	if err := json.Unmarshal(plain, &record); err != nil {
		return record, broken(i, err)
	}
	return record, nil
}

// unpackBytes reads what packBytes made.
func unpackBytes(i item, name string) ([]byte, error) {
	if v, ok := i[form]; ok {
		if n, ok := v.(*types.AttributeValueMemberN); !ok || n.Value != "1" {
			return nil, broken(i, fmt.Errorf("it has a form that this version does not know, which is not %d", thisForm))
		}
	}
	v, ok := i[name].(*types.AttributeValueMemberB)
	if !ok {
		return nil, broken(i, fmt.Errorf("it has no %s", name))
	}
	if !bytes.HasPrefix(v.Value, squeezed) {
		return v.Value, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(v.Value))
	if err != nil {
		return nil, broken(i, err)
	}
	plain, err := io.ReadAll(io.LimitReader(z, maxPlain+1))
	if err != nil {
		return nil, broken(i, err)
	}
	if len(plain) > maxPlain {
		return nil, broken(i, errors.New("it is larger than any that is written"))
	}
	return plain, nil
}

// errMoved is a record that lies under another's key.
var errMoved = errors.New("what it holds belongs under another key")

// fields reads the attributes of an item; the first that cannot be read is kept.
type fields struct {
	of  item
	err error
}

func (f *fields) fail(name string) {
	if f.err == nil {
		f.err = broken(f.of, fmt.Errorf("its %s cannot be read", name))
	}
}

// sound refuses an item that lacks a text that it must have, or that has a time
// which cannot be read.
func sound(i item, texts, times []string) error {
	f := fields{of: i}
	for _, name := range texts {
		if f.text(name) == "" {
			f.fail(name)
		}
	}
	for _, name := range times {
		f.moment(name)
	}
	return f.err
}

// text reads a text that may be missing.
func (f *fields) text(name string) string {
	if _, ok := f.of[name].(*types.AttributeValueMemberS); !ok && f.of[name] != nil {
		f.fail(name)
	}
	return textOf(f.of, name)
}

// moment reads a time that may be missing.
func (f *fields) moment(name string) time.Time {
	if f.of[name] == nil {
		return time.Time{}
	}
	t, err := time.Parse(stampForm, textOf(f.of, name))
	if err != nil {
		f.fail(name)
	}
	return t
}

// count reads a number that must be there.
func (f *fields) count(name string) int {
	v, ok := f.of[name].(*types.AttributeValueMemberN)
	if !ok {
		f.fail(name)
		return 0
	}
	n, err := strconv.Atoi(v.Value)
	if err != nil {
		f.fail(name)
	}
	return n
}
