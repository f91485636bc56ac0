package lab

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"hash/crc32"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// answer is what an operation gives back: xml for the Query services, json
// for the others.
type answer struct {
	xml  []elem
	json any
}

// elem is one XML element: text or children.
type elem struct {
	name string
	text string
	kids []elem
}

func leaf(name, text string) elem         { return elem{name: name, text: text} }
func tree(name string, kids ...elem) elem { return elem{name: name, kids: kids} }
func number(name string, n int) elem      { return leaf(name, strconv.Itoa(n)) }

// answerXML gives an answer with a result element, even an empty one.
func answerXML(kids ...elem) *answer { return &answer{xml: append([]elem{}, kids...)} }

// members makes the list form of the Query protocol.
func members[T any](name string, list []T, item func(T) []elem) elem {
	out := elem{name: name}
	for _, v := range list {
		out.kids = append(out.kids, elem{name: "member", kids: item(v)})
	}
	return out
}

// names makes a list of texts.
func names(name string, list []string) elem {
	out := elem{name: name}
	for _, v := range list {
		out.kids = append(out.kids, leaf("member", v))
	}
	return out
}

func (e elem) write(b *strings.Builder) {
	b.WriteString("<" + e.name + ">")
	_ = xml.EscapeText(b, []byte(e.text))
	for _, kid := range e.kids {
		kid.write(b)
	}
	b.WriteString("</" + e.name + ">")
}

func namespace(service string) string {
	switch service {
	case "iam":
		return "https://iam.amazonaws.com/doc/2010-05-08/"
	case "sns":
		return "http://sns.amazonaws.com/doc/2010-03-31/"
	default:
		return "https://sts.amazonaws.com/doc/2011-06-15/"
	}
}

func writeXML(w http.ResponseWriter, req *request, result *answer, err error) {
	w.Header().Set("Content-Type", "text/xml")
	w.Header().Set("X-Amzn-Requestid", req.id)
	var b strings.Builder
	if err != nil {
		p := asProblem(err)
		w.WriteHeader(p.status)
		root := tree("ErrorResponse",
			tree("Error", leaf("Type", blame(p.status)), leaf("Code", p.code), leaf("Message", p.message)),
			leaf("RequestId", req.id))
		root.writeRoot(&b, namespace(req.service))
	} else {
		root := tree(req.action + "Response")
		if result.xml != nil {
			root.kids = append(root.kids, tree(req.action+"Result", result.xml...))
		}
		root.kids = append(root.kids, tree("ResponseMetadata", leaf("RequestId", req.id)))
		root.writeRoot(&b, namespace(req.service))
	}
	// A client that hung up has lost its answer; there is nobody to tell.
	_, _ = w.Write([]byte(b.String()))
}

func (e elem) writeRoot(b *strings.Builder, space string) {
	b.WriteString("<" + e.name + " xmlns=\"" + space + "\">")
	for _, kid := range e.kids {
		kid.write(b)
	}
	b.WriteString("</" + e.name + ">\n")
}

func blame(status int) string {
	if status >= http.StatusInternalServerError {
		return "Receiver"
	}
	return "Sender"
}

func asProblem(err error) *problem {
	var p *problem
	if errors.As(err, &p) {
		return p
	}
	return internalFailure(err)
}

func writeJSON(w http.ResponseWriter, req *request, result *answer, err error) {
	kind := "application/x-amz-json-1.1"
	if req.service == "sqs" || req.service == "dynamodb" {
		kind = "application/x-amz-json-1.0"
	}
	status, text := http.StatusOK, []byte("{}")
	if err != nil {
		status, text = jsonProblem(req, asProblem(err))
	} else if result.json != nil {
		text = jsonText(result.json)
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("X-Amzn-Requestid", req.id)
	if req.service == "dynamodb" {
		w.Header().Set("X-Amz-Crc32", strconv.FormatUint(uint64(crc32.ChecksumIEEE(text)), 10))
	}
	w.WriteHeader(status)
	// A client that hung up has lost its answer; there is nobody to tell.
	_, _ = w.Write(text)
}

func jsonText(value any) []byte {
	encode := json.Marshal
	if members, ok := value.(table.Answer); ok {
		encode = func(any) ([]byte, error) { return table.Encode(members) }
	}
	text, err := encode(value)
	if err != nil {
		return []byte(`{"__type":"InternalFailure"}`)
	}
	return text
}

// jsonProblem is an error as the JSON services write it. DynamoDB and KMS
// answer 400 where others answer 403.
func jsonProblem(req *request, p *problem) (status int, text []byte) {
	status = p.status
	if status == http.StatusForbidden && (req.service == "dynamodb" || req.service == "kms") {
		status = http.StatusBadRequest
	}
	if req.service == "dynamodb" {
		full := p.table
		if full == nil {
			full = &table.Problem{Code: jsonCode(p.code), Message: p.message}
		}
		return status, jsonText(table.Answer(full.Fields()))
	}
	return status, jsonText(map[string]any{"__type": jsonCode(p.code), "message": p.message, "Message": p.message})
}

// jsonCode gives the names that the JSON services use for errors which the
// Query services name otherwise.
func jsonCode(code string) string {
	switch code {
	case "AccessDenied":
		return "AccessDeniedException"
	case "InvalidClientTokenId":
		return "UnrecognizedClientException"
	case "ExpiredToken":
		return "ExpiredTokenException"
	case "Throttling":
		return "ThrottlingException"
	case "SignatureDoesNotMatch":
		return "InvalidSignatureException"
	case "InvalidAction":
		return "UnknownOperationException"
	default:
		return code
	}
}

// list reads Name.member.1, Name.member.2 and so on.
func list(form url.Values, name string) []string {
	var out []string
	for i := 1; ; i++ {
		key := name + ".member." + strconv.Itoa(i)
		if !form.Has(key) {
			return out
		}
		out = append(out, form.Get(key))
	}
}

// records reads Name.member.1.Field and so on, each as a form of its own.
func records(form url.Values, name string) []url.Values {
	return numbered(form, name+".member.")
}

func numbered(form url.Values, prefix string) []url.Values {
	byIndex := map[int]url.Values{}
	for key, values := range form {
		rest, ok := strings.CutPrefix(key, prefix)
		if !ok {
			continue
		}
		index, field, _ := strings.Cut(rest, ".")
		n, err := strconv.Atoi(index)
		if err != nil {
			continue
		}
		if byIndex[n] == nil {
			byIndex[n] = url.Values{}
		}
		byIndex[n][field] = values
	}
	var order []int
	for n := range byIndex {
		order = append(order, n)
	}
	slices.Sort(order)
	out := make([]url.Values, 0, len(order))
	for _, n := range order {
		out = append(out, byIndex[n])
	}
	return out
}
