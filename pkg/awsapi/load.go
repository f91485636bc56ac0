package awsapi

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/credentials"
)

// Load reads the configuration of a function from its environment: the Region
// and the keys that Lambda puts there (AWS Lambda Developer Guide,
// configuration-envvars), and the SDK's settings of endpoints. What a function
// never has is not looked for: shared files, single sign-on, an instance's
// metadata; the SDK's code for these is a thirteenth of a function's archive.
// People's commands read their configuration with the room inspect.
func Load(context.Context) (aws.Config, error) {
	cfg, err := environment(os.Getenv)
	if err != nil {
		return aws.Config{}, fmt.Errorf("loading the AWS configuration: %w", err)
	}
	return cfg, nil
}

// environment makes a configuration of environment variables (AWS SDKs and Tools
// Reference Guide, settings-reference).
func environment(getenv func(string) string) (aws.Config, error) {
	region := getenv("AWS_REGION")
	if region == "" {
		region = getenv("AWS_DEFAULT_REGION")
	}
	if region == "" {
		return aws.Config{}, fmt.Errorf("AWS_REGION is not set: Lambda sets it; elsewhere set it to the Region that rolewarden works in")
	}
	key, secret := getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		return aws.Config{}, fmt.Errorf("AWS_ACCESS_KEY_ID or AWS_SECRET_ACCESS_KEY is not set: Lambda sets them; elsewhere set them to the keys of a role's session")
	}
	settings := endpoints{getenv: getenv}
	var err error
	if settings.fips, err = truth(getenv, "AWS_USE_FIPS_ENDPOINT"); err != nil {
		return aws.Config{}, err
	}
	if settings.dual, err = truth(getenv, "AWS_USE_DUALSTACK_ENDPOINT"); err != nil {
		return aws.Config{}, err
	}
	cfg := aws.Config{
		Region:      region,
		Credentials: credentials.NewStaticCredentialsProvider(key, secret, getenv("AWS_SESSION_TOKEN")),
		// One client for all: each keeps connections of its own.
		HTTPClient:    awshttp.NewBuildableClient(),
		ConfigSources: []any{settings},
	}
	if url := getenv(endpointURL); url != "" {
		cfg.BaseEndpoint = aws.String(url)
	}
	return cfg, nil
}

// endpointURL is where every service is found; followed by a service's name, where that one is.
const endpointURL = "AWS_ENDPOINT_URL"

// endpoints answers what the SDK's clients ask of the environment when they are made.
type endpoints struct {
	getenv     func(string) string
	fips, dual setting
}

// setting is what a variable says; the zero value says nothing.
type setting uint8

const (
	unset setting = iota
	on
	off
)

// truth reads a variable that is true, false or not there.
func truth(getenv func(string) string, name string) (setting, error) {
	switch v := getenv(name); {
	case v == "":
		return unset, nil
	case strings.EqualFold(v, "true"):
		return on, nil
	case strings.EqualFold(v, "false"):
		return off, nil
	default:
		return unset, fmt.Errorf("%s is %q: write true or false", name, v)
	}
}

// GetServiceBaseEndpoint gives where one service is found, such as
// AWS_ENDPOINT_URL_DYNAMODB.
func (e endpoints) GetServiceBaseEndpoint(_ context.Context, sdkID string) (string, bool, error) {
	url := e.getenv(endpointURL + "_" + strings.ReplaceAll(strings.ToUpper(sdkID), " ", "_"))
	return url, url != "", nil
}

// GetUseFIPSEndpoint says whether endpoints are to be those with validated cryptography.
func (e endpoints) GetUseFIPSEndpoint(context.Context) (aws.FIPSEndpointState, bool, error) {
	switch e.fips {
	case on:
		return aws.FIPSEndpointStateEnabled, true, nil
	case off:
		return aws.FIPSEndpointStateDisabled, true, nil
	case unset:
	}
	return aws.FIPSEndpointStateUnset, false, nil
}

// GetUseDualStackEndpoint says whether endpoints are to be reached over IPv6 too.
func (e endpoints) GetUseDualStackEndpoint(context.Context) (aws.DualStackEndpointState, bool, error) {
	switch e.dual {
	case on:
		return aws.DualStackEndpointStateEnabled, true, nil
	case off:
		return aws.DualStackEndpointStateDisabled, true, nil
	case unset:
	}
	return aws.DualStackEndpointStateUnset, false, nil
}
