package awsapi

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// inLambda is what Lambda puts into a function's environment.
func inLambda() map[string]string {
	return map[string]string{"AWS_REGION": "us-gov-west-1", "AWS_DEFAULT_REGION": "us-gov-west-1", "AWS_ACCESS_KEY_ID": "ASIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "token"}
}

// What a function reads of its environment is what the SDK's own reader would,
// so that the SDK's documentation holds.
func TestTheEnvironmentIsReadAsTheSDKReadsIt(t *testing.T) {
	for name, more := range map[string]map[string]string{
		"as Lambda sets it":       {},
		"one endpoint":            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1"},
		"one service's endpoint":  {"AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2"},
		"both":                    {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_DYNAMODB": "http://127.0.0.1:2"},
		"a name of two words":     {"AWS_ENDPOINT_URL_SECRETS_MANAGER": "http://127.0.0.1:3"},
		"validated cryptography":  {"AWS_USE_FIPS_ENDPOINT": "true"},
		"none of that":            {"AWS_USE_FIPS_ENDPOINT": "FALSE"},
		"IPv6":                    {"AWS_USE_DUALSTACK_ENDPOINT": "true"},
		"neither":                 {"AWS_USE_DUALSTACK_ENDPOINT": "false"},
		"the Region's other name": {"AWS_REGION": "", "AWS_DEFAULT_REGION": "eu-central-1"},
	} {
		t.Run(name, func(t *testing.T) {
			for _, set := range []map[string]string{inLambda(), more} {
				for k, v := range set {
					t.Setenv(k, v)
				}
			}
			for _, k := range []string{"AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"} {
				t.Setenv(k, "none")
			}
			ours, err := Load(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := config.LoadDefaultConfig(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			for service, call := range called() {
				if got, want := requested(t, ours, call), requested(t, theirs, call); got != want {
					t.Errorf("%s: %s, and the SDK's reader says %s", service, got, want)
				}
			}
		})
	}
}

// called makes one call of some services.
func called() map[string]func(context.Context, aws.Config) error {
	return map[string]func(context.Context, aws.Config) error{
		"dynamodb": func(ctx context.Context, cfg aws.Config) error {
			_, err := dynamodb.NewFromConfig(cfg).ListTables(ctx, &dynamodb.ListTablesInput{})
			return err
		},
		"iam": func(ctx context.Context, cfg aws.Config) error {
			_, err := iam.NewFromConfig(cfg).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("app")})
			return err
		},
		"secretsmanager": func(ctx context.Context, cfg aws.Config) error {
			_, err := secretsmanager.NewFromConfig(cfg).ListSecrets(ctx, &secretsmanager.ListSecretsInput{})
			return err
		},
	}
}

// requested says where a call goes, under whose key and for which Region, or
// that it cannot be made.
func requested(t *testing.T, cfg aws.Config, call func(context.Context, aws.Config) error) string {
	t.Helper()
	out := "nowhere"
	cfg.Retryer = func() aws.Retryer { return aws.NopRetryer{} }
	cfg.HTTPClient = sending(func(r *http.Request) (*http.Response, error) {
		_, scope, _ := strings.Cut(r.Header.Get("Authorization"), "Credential=")
		parts := strings.Split(scope, "/")
		out = r.URL.Scheme + "://" + r.URL.Host + " " + parts[0] + " " + parts[2] + " " + r.Header.Get("X-Amz-Security-Token")
		return nil, http.ErrHandlerTimeout
	})
	if err := call(t.Context(), cfg); err == nil {
		t.Fatal("the call was answered")
	}
	return out
}

type sending func(*http.Request) (*http.Response, error)

func (f sending) Do(r *http.Request) (*http.Response, error) { return f(r) }

// A function without what Lambda gives it does not start, and says what is
// missing; keys are in no error.
func TestAnEnvironmentThatCannotWorkIsRefused(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"AWS_REGION":            {"AWS_REGION": "", "AWS_DEFAULT_REGION": ""},
		"AWS_ACCESS_KEY_ID":     {"AWS_ACCESS_KEY_ID": ""},
		"AWS_SECRET_ACCESS_KEY": {"AWS_SECRET_ACCESS_KEY": ""},
		"AWS_USE_FIPS_ENDPOINT": {"AWS_USE_FIPS_ENDPOINT": "yes"},
		"AWS_USE_DUALSTACK_END": {"AWS_USE_DUALSTACK_ENDPOINT": "1"},
	} {
		env := inLambda()
		for k, v := range change {
			env[k] = v
		}
		_, err := environment(func(k string) string { return env[k] })
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), "ASIAEXAMPLE") || strings.Contains(err.Error(), `"secret"`) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Clients share connections: a writing session makes a client of its own, and
// were each to open connections of its own they would pile up.
func TestClientsShareTheirConnections(t *testing.T) {
	env := inLambda()
	cfg, err := environment(func(k string) string { return env[k] })
	if err != nil || cfg.HTTPClient == nil {
		t.Errorf("%v, %v", cfg.HTTPClient, err)
	}
}
