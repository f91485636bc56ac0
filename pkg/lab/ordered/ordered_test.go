package ordered_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rolewarden/rolewarden/pkg/lab/ordered"
)

// Members keep their order, and white space goes.
func TestOrderIsKept(t *testing.T) {
	node, err := ordered.Parse([]byte(" {\"b\" : [1, true ,null],\n\"a\":\"x<&é\"}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(node.Bytes()), `{"b":[1,true,null],"a":"x<&é"}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if value, ok := node.Get("a"); !ok || value.Text != "x<&é" {
		t.Errorf("a is %v", value)
	}
}

// Nothing doubtful is read: doubles, broken text, more than one value.
func TestParseRefuses(t *testing.T) {
	for _, text := range []string{``, `{`, `{"a":1,"a":2}`, `{} {}`, "\"\xff\"", `{"a":1,}`, `// x`, strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40)} {
		if node, err := ordered.Parse([]byte(text)); err == nil {
			t.Errorf("%q was read as %s", text, node.Bytes())
		}
	}
}

// Parsing what was printed gives the same tree.
func TestPrintAndParseAreInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		node := tree(4).Draw(t, "tree")
		again, err := ordered.Parse(node.Bytes())
		if err != nil {
			t.Fatalf("parsing %s: %v", node.Bytes(), err)
		}
		if diff := cmp.Diff(node, again); diff != "" {
			t.Error(diff)
		}
	})
}

func tree(depth int) *rapid.Generator[*ordered.Node] {
	return rapid.Custom(func(t *rapid.T) *ordered.Node {
		kind := ordered.Kind(rapid.IntRange(0, 4).Draw(t, "kind"))
		if depth == 0 && kind > ordered.String {
			kind = ordered.String
		}
		node := &ordered.Node{Kind: kind}
		switch kind {
		case ordered.Literal:
			node.Text = rapid.SampledFrom([]string{"true", "false", "0", "-1.5"}).Draw(t, "literal")
		case ordered.String:
			node.Text = rapid.String().Draw(t, "text")
		case ordered.Array:
			for range rapid.IntRange(0, 3).Draw(t, "items") {
				node.Items = append(node.Items, tree(depth-1).Draw(t, "item"))
			}
		case ordered.Object:
			for _, name := range rapid.SliceOfNDistinct(rapid.String(), 0, 3, rapid.ID).Draw(t, "names") {
				node.Members = append(node.Members, ordered.Member{Name: name, Value: tree(depth-1).Draw(t, "value")})
			}
		case ordered.Null:
		}
		return node
	})
}
