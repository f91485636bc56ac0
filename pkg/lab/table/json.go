package table

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// decode reads a body. What is no JSON of the expected shape is a
// SerializationException; what is no value of DynamoDB's says so itself.
func decode(body []byte, into any) error {
	err := json.Unmarshal(body, into, json.RejectUnknownMembers(true))
	var own *Problem
	var shape *json.SemanticError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	case errors.Is(err, json.ErrUnknownName) && errors.As(err, &shape):
		return invalid("The lab does not know the parameter %s of this call.", shape.JSONPointer.LastToken())
	case errors.As(err, &shape):
		return failed("SerializationException", "the member %s cannot be a JSON %s", shape.JSONPointer, shape.JSONKind)
	default:
		return failed("SerializationException", "%v", err)
	}
}

// UnmarshalJSONFrom reads a value as {"S":"text"}.
func (v *Value) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	if dec.StackDepth() > 3*maxDepth {
		return invalid("Nesting Levels have exceeded supported limits")
	}
	if err := expect(dec, '{'); err != nil {
		return err
	}
	*v = Value{}
	for dec.PeekKind() == '"' {
		name, err := dec.ReadToken()
		if err != nil {
			return err
		}
		k := kind(name.String())
		if dec.PeekKind() == 'n' && k != isNull {
			if err := dec.SkipValue(); err != nil {
				return err
			}
			continue
		}
		if v.kind != "" {
			return invalid("Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes")
		}
		if err := v.read(dec, k); err != nil {
			return err
		}
	}
	if err := expect(dec, '}'); err != nil {
		return err
	}
	if v.kind == "" {
		return invalid("Supplied AttributeValue is empty, must contain exactly one of the supported datatypes")
	}
	return nil
}

func expect(dec *jsontext.Decoder, want jsontext.Kind) error {
	token, err := dec.ReadToken()
	if err != nil {
		return err
	}
	if token.Kind() != want {
		return failed("SerializationException", "unexpected %s in an attribute value", token.Kind())
	}
	return nil
}

func (v *Value) read(dec *jsontext.Decoder, k kind) (err error) {
	v.kind = k
	switch k {
	case isText, isNumber, isBytes:
		text, err := readText(dec)
		if err != nil {
			return err
		}
		*v, err = scalar(k, text)
		return err
	case isBool:
		return json.UnmarshalDecode(dec, &v.yes)
	case isNull:
		if err := json.UnmarshalDecode(dec, &v.yes); err != nil {
			return err
		}
		if !v.yes {
			return wrong("Null attribute value types must have the value of true")
		}
		return nil
	case isList:
		v.list = []Value{}
		return json.UnmarshalDecode(dec, &v.list)
	case isMap:
		v.tree = Item{}
		return json.UnmarshalDecode(dec, &v.tree)
	case isTexts, isNumbers, isBlobs:
		*v, err = readSet(dec, k)
		return err
	default:
		v.kind = ""
		return dec.SkipValue()
	}
}

func readText(dec *jsontext.Decoder) (string, error) {
	token, err := dec.ReadToken()
	if err != nil {
		return "", err
	}
	if token.Kind() != '"' {
		return "", failed("SerializationException", "a JSON %s cannot be converted to a string", token.Kind())
	}
	return token.String(), nil
}

func scalar(k kind, text string) (Value, error) {
	switch k {
	case isNumber:
		n, err := parseNumber(text)
		return numeric(n), err
	case isBytes:
		plain, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			return Value{}, failed("SerializationException", "a binary value is not base64")
		}
		return Value{kind: isBytes, text: string(plain)}, nil
	default:
		return textValue(text), nil
	}
}

func readSet(dec *jsontext.Decoder, k kind) (Value, error) {
	var texts []string
	if err := json.UnmarshalDecode(dec, &texts); err != nil {
		return Value{}, err
	}
	var members []Value
	for _, text := range texts {
		member, err := scalar(k.member(), text)
		if err != nil {
			return Value{}, err
		}
		members = append(members, member)
	}
	set := setOf(k, members)
	switch {
	case len(members) == 0 && k == isBlobs:
		return Value{}, wrong("Binary sets should not be empty")
	case len(members) == 0:
		return Value{}, wrong("An %s set  may not be empty", map[kind]string{isTexts: "string", isNumbers: "number"}[k])
	case len(set.list) < len(members):
		return Value{}, wrong("Input collection [%s] contains duplicates.", strings.Join(texts, ", "))
	}
	return set, nil
}

// MarshalJSONTo writes a value as {"S":"text"}.
func (v Value) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := errors.Join(enc.WriteToken(jsontext.BeginObject), enc.WriteToken(jsontext.String(string(v.kind)))); err != nil {
		return err
	}
	if err := v.write(enc); err != nil {
		return err
	}
	return enc.WriteToken(jsontext.EndObject)
}

func (v Value) write(enc *jsontext.Encoder) error {
	switch v.kind {
	case isText, isNumber, isBytes:
		return enc.WriteToken(jsontext.String(v.spelled()))
	case isBool, isNull:
		return enc.WriteToken(jsontext.Bool(v.yes))
	case isMap:
		return v.tree.MarshalJSONTo(enc)
	case isList:
		return writeArray(enc, v.list, func(member Value) error { return member.MarshalJSONTo(enc) })
	case isTexts, isNumbers, isBlobs:
		return writeArray(enc, v.list, func(member Value) error { return enc.WriteToken(jsontext.String(member.spelled())) })
	default:
		return fmt.Errorf("a value of the kind %q", v.kind)
	}
}

// spelled is a scalar as JSON has it.
func (v Value) spelled() string {
	if v.kind == isBytes {
		return base64.StdEncoding.EncodeToString([]byte(v.text))
	}
	return v.text
}

func writeArray(enc *jsontext.Encoder, members []Value, write func(Value) error) error {
	if err := enc.WriteToken(jsontext.BeginArray); err != nil {
		return err
	}
	for _, member := range members {
		if err := write(member); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndArray)
}

// MarshalJSONTo writes an item with its attributes in order.
func (i Item) MarshalJSONTo(enc *jsontext.Encoder) error {
	if err := enc.WriteToken(jsontext.BeginObject); err != nil {
		return err
	}
	names := make([]string, 0, len(i))
	for name := range i {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		if err := enc.WriteToken(jsontext.String(name)); err != nil {
			return err
		}
		if err := i[name].MarshalJSONTo(enc); err != nil {
			return err
		}
	}
	return enc.WriteToken(jsontext.EndObject)
}

// Encode writes an answer's or an error's members as JSON.
func Encode(members map[string]any) ([]byte, error) {
	return json.Marshal(members)
}
