package rules

import "slices"

// once is a list of texts, each once, in the order in which they came.
type once struct {
	list []string
	// seen holds them where they are many.
	seen map[string]struct{}
}

// fewTexts is up to how many texts looking at each is quicker than a map.
const fewTexts = 32

func (o *once) add(text string) {
	if o.has(text) {
		return
	}
	if o.list = append(o.list, text); o.seen != nil {
		o.seen[text] = struct{}{}
	} else if len(o.list) > fewTexts {
		o.seen = make(map[string]struct{}, 4*len(o.list))
		for _, one := range o.list {
			o.seen[one] = struct{}{}
		}
	}
}

func (o *once) has(text string) bool {
	if o.seen == nil {
		return slices.Contains(o.list, text)
	}
	_, had := o.seen[text]
	return had
}

// setOf makes a list ready for looking things up in it.
func setOf(list []string) *once {
	o := &once{list: list}
	if len(list) > fewTexts {
		o.seen = make(map[string]struct{}, len(list))
		for _, one := range list {
			o.seen[one] = struct{}{}
		}
	}
	return o
}
