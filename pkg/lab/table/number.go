package table

import (
	"math/big"
	"strconv"
	"strings"
)

// number is a decimal: ±0.digits × 10^point. digits has neither leading nor
// trailing zeros; zero has none.
type number struct {
	digits   string
	point    int
	negative bool
}

// The limits of a number. Amazon DynamoDB Developer Guide,
// HowItWorks.NamingRulesDataTypes.
const (
	maxDigits = 38
	maxPoint  = 126  // 9.99e+125
	minPoint  = -129 // 1e-130
)

// parseNumber reads a number as a request spells it.
func parseNumber(text string) (number, error) {
	n, ok := readNumber(text)
	switch {
	case !ok:
		return number{}, invalid("The parameter cannot be converted to a numeric value: %s", text)
	case len(n.digits) > maxDigits:
		return number{}, invalid("Attempting to store more than 38 significant digits in a Number")
	}
	return n, n.inRange()
}

func (n number) inRange() error {
	switch {
	case n.digits == "":
		return nil
	case n.point > maxPoint:
		return invalid("Number overflow. Attempting to store a number with magnitude larger than supported range")
	case n.point < minPoint:
		return invalid("Number underflow. Attempting to store a number with magnitude smaller than supported range")
	}
	return nil
}

// longest bounds what is read at all: no number within the limits is longer.
const longest = 512

func readNumber(text string) (number, bool) {
	n := number{}
	if len(text) > longest {
		return n, false
	}
	text, n.negative = strings.CutPrefix(text, "-")
	if !n.negative {
		text = strings.TrimPrefix(text, "+")
	}
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		exponent, err := strconv.Atoi(text[i+1:])
		if err != nil || exponent > 1_000_000 || exponent < -1_000_000 {
			return n, false
		}
		text, n.point = text[:i], exponent
	}
	whole, fraction, _ := strings.Cut(text, ".")
	if whole+fraction == "" || strings.Trim(whole, "0123456789") != "" || strings.Trim(fraction, "0123456789") != "" {
		return n, false
	}
	n.digits, n.point = whole+fraction, n.point+len(whole)
	return n.normal(), true
}

// normal takes the zeros off both ends.
func (n number) normal() number {
	kept := strings.TrimLeft(n.digits, "0")
	n.point -= len(n.digits) - len(kept)
	n.digits = strings.TrimRight(kept, "0")
	if n.digits == "" {
		return number{}
	}
	return n
}

// text writes the number without an exponent, as DynamoDB gives it back.
func (n number) text() string {
	if n.digits == "" {
		return "0"
	}
	sign := ""
	if n.negative {
		sign = "-"
	}
	switch {
	case n.point <= 0:
		return sign + "0." + strings.Repeat("0", -n.point) + n.digits
	case n.point >= len(n.digits):
		return sign + n.digits + strings.Repeat("0", n.point-len(n.digits))
	default:
		return sign + n.digits[:n.point] + "." + n.digits[n.point:]
	}
}

func (n number) sign() int {
	switch {
	case n.digits == "":
		return 0
	case n.negative:
		return -1
	default:
		return 1
	}
}

func (n number) compare(o number) int {
	if s := n.sign() - o.sign(); s != 0 || n.digits == "" {
		return s
	}
	order := n.point - o.point
	if order == 0 {
		order = strings.Compare(n.digits, o.digits)
	}
	return order * n.sign()
}

// scaled gives the digits as an integer at a common power of ten.
func (n number) scaled(exponent int) *big.Int {
	if n.digits == "" {
		return new(big.Int)
	}
	// The digits are digits, so that they can be read.
	i, _ := new(big.Int).SetString(n.digits+strings.Repeat("0", n.point-len(n.digits)-exponent), 10)
	if n.negative {
		i.Neg(i)
	}
	return i
}

// add gives the exact sum; one of more than 38 digits is an error.
func (n number) add(o number) (number, error) {
	exponent := min(n.point-len(n.digits), o.point-len(o.digits))
	sum := n.scaled(exponent)
	sum.Add(sum, o.scaled(exponent))
	out := number{negative: sum.Sign() < 0, digits: sum.Abs(sum).String()}
	out.point = exponent + len(out.digits)
	out = out.normal()
	if len(out.digits) > maxDigits {
		return number{}, invalid("Attempting to store more than 38 significant digits in a Number")
	}
	return out, out.inRange()
}

func (n number) negated() number {
	if n.digits != "" {
		n.negative = !n.negative
	}
	return n
}
