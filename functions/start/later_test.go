package start_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/rolewarden/rolewarden/functions/start"
	"github.com/rolewarden/rolewarden/pkg/awsapi"
	"github.com/rolewarden/rolewarden/pkg/guard"
)

// Whoever puts something off, guard or sweep, puts it off for its account, so that
// one account of which there is much does not keep the others waiting.
func TestWhatIsPutOffIsOfItsAccount(t *testing.T) {
	t.Parallel()
	var got struct {
		MessageGroupId, MessageBody string
		DelaySeconds                int
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if _, err := w.Write([]byte(`{"MessageId":"1"}`)); err != nil {
			t.Error(err)
		}
	}))
	defer server.Close()
	queue, err := awsapi.NewQueue(awsapi.QueueConfig{URL: server.URL + "/555555555555/rolewarden-later", AWS: aws.Config{
		Region: "us-east-1", BaseEndpoint: &server.URL, Credentials: credentials.NewStaticCredentialsProvider("AKIAEXAMPLE", "example", ""),
	}})
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	later := start.Later{Queue: queue, Now: func() time.Time { return now }}
	if err := later.Send(t.Context(), guard.Step{Account: "111122223333", RoleID: "AROAEXAMPLEAPP0000001", NotBefore: now.Add(time.Minute)}); err != nil {
		t.Fatal(err)
	}
	if got.MessageGroupId != "111122223333" || got.DelaySeconds != 60 || !strings.Contains(got.MessageBody, "AROAEXAMPLEAPP0000001") {
		t.Errorf("sent %+v", got)
	}
}
