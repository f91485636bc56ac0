package awsapi

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/organizations/types"
)

// What the packages below this one share with it. They are apart from it only
// so that the functions do not carry SDK clients that they have no use for.

// Patient is the retryer of calls that only read.
func Patient() aws.Retryer { return patient() }

// Sorted gives the error of a call as a CallError.
func Sorted(err error) *CallError { return sorted(err) }

// Pages asks for page after page until there is none.
func Pages(ask func(token *string) (next *string, err error)) error { return pages(ask) }

// Active says whether an account can be used, as far as Organizations says.
func Active(a types.Account) bool { return active(a) }
