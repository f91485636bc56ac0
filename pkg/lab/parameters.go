package lab

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

const (
	kilobyte = 1024
	// parameterLimit is CloudTrail's bound on requestParameters.
	parameterLimit = 100 * kilobyte
)

// requestParameters turns the form into CloudTrail's spelling, and cuts the
// longest text when the whole is too large; "omitted" then says so.
func requestParameters(req *request) any {
	if len(req.form) == 0 {
		return nil
	}
	out := map[string]any{}
	for key, values := range req.form {
		if key != "Action" && key != "Version" && len(values) > 0 {
			place(out, strings.Split(key, "."), values[0])
		}
	}
	tidied, _ := tidy(out).(map[string]any)
	for key, value := range req.trail.mask {
		if value == nil {
			delete(tidied, key)
			continue
		}
		tidied[key] = value
	}
	if excess := len(marshal(tidied)) - parameterLimit; excess > 0 {
		truncate(tidied, excess)
	}
	if len(tidied) == 0 {
		return nil
	}
	return tidied
}

func truncate(params map[string]any, excess int) {
	longest := ""
	for key, value := range params {
		if text, ok := value.(string); ok {
			if current, ok := params[longest].(string); !ok || len(text) > len(current) {
				longest = key
			}
		}
	}
	text, ok := params[longest].(string)
	if !ok {
		return
	}
	params[longest] = clip(text, max(0, len(text)-excess-kilobyte))
	params["omitted"] = true
}

// place puts a value at its dotted path.
func place(into map[string]any, path []string, value string) {
	name := lowerFirst(path[0])
	if len(path) == 1 {
		into[name] = scalar(name, value)
		return
	}
	next, ok := into[name].(map[string]any)
	if !ok {
		next = map[string]any{}
		into[name] = next
	}
	place(next, path[1:], value)
}

// tidy turns {"member":{"1":a,"2":b}} into [a,b] and {"entry":{"1":{"key":k,
// "value":v}}} into {k:v}.
func tidy(value any) any {
	m, ok := value.(map[string]any)
	if !ok {
		return value
	}
	if list, ok := m["member"].(map[string]any); ok && len(m) == 1 {
		out := []any{}
		for i := 1; list[strconv.Itoa(i)] != nil; i++ {
			out = append(out, tidy(list[strconv.Itoa(i)]))
		}
		return out
	}
	if entries, ok := m["entry"].(map[string]any); ok && len(m) == 1 {
		out := map[string]any{}
		for _, entry := range entries {
			if pair, ok := entry.(map[string]any); ok {
				key, _ := pair["key"].(string)
				out[key] = tidy(pair["value"])
			}
		}
		return out
	}
	for key, inner := range m {
		m[key] = tidy(inner)
	}
	return m
}

// scalar gives the parameters that AWS types as numbers their type back.
func scalar(name, value string) any {
	switch name {
	case "maxSessionDuration", "durationSeconds", "maxItems", "templateMinorVersion":
		if n, err := strconv.Atoi(value); err == nil {
			return n
		}
	}
	return value
}

func lowerFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToLower(s[:1]) + s[1:]
}

// marshal writes JSON as AWS does, without escaping < > and &.
func marshal(value any) []byte {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	// Maps of strings, numbers and booleans cannot fail to encode.
	_ = enc.Encode(value)
	return bytes.TrimSpace(out.Bytes())
}
