package main
import ("testing";"path/filepath";"os";"context";"github.com/aws/aws-cdk-go/awscdk/v2")

func TestNagRaw(t *testing.T) {
	dir := "/tmp/p4/nag"
	os.RemoveAll(dir)
	for _, one := range [][2]string{{"organization.yaml","hub"},{"organization.yaml","members"},{"single.yaml",""}} {
		d := load1(t, one[0], one[1])
		code, err := buildAssets(context.Background(), stub{filepath.Join(t.TempDir(), "code")}, d)
		if err != nil { t.Fatal(err) }
		app := newApp(filepath.Join(dir, one[0]+one[1]), nil)
		if err := build(app, d, code); err != nil { t.Fatal(err) }
		if one[1] == "members" {
			s := awscdk.NewStack(app, str("rolewarden-member"), &awscdk.StackProps{Synthesizer: plain()})
			newMember(s, d)
			s = awscdk.NewStack(app, str("rolewarden-member-regional"), &awscdk.StackProps{Synthesizer: plain()})
			newRegional(s, d)
		}
		inspect(app)
		app.Synth(nil)
	}
}
