package deployment

import (
	"strings"

	"github.com/rolewarden/rolewarden/pkg/org/strict"
)

// The pieces that expressions are made of. Every expression stands in
// deployment.schema.json too. The ids of roots and organizational units are
// those of the Organizations API Reference, API_Root and API_OrganizationalUnit:
// the id of a unit holds that of its root.
const (
	reAccount = `[0-9]{12}`
	reRoot    = `r-[0-9a-z]{4,32}`
	reUnit    = `ou-[0-9a-z]{4,32}-[0-9a-z]{8,32}`
	reRegion  = `[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}`
	reEmail   = `[A-Za-z0-9!#$%&'*+/=?^_{|}~.-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+`
)

// The forms of the deployment file.
var (
	wayWord          = strict.OneOf("way", wordSingle, wordHub, wordMembers)
	architectureWord = strict.OneOf("architecture", wordARM64, wordX8664)
	presenceWord     = strict.OneOf("answer", wordAbsent, wordPresent)
	slackWord        = strict.Form{Name: presenceWord.Name, OK: presenceWord.OK, Remedy: remedySlack}
	rulesPath        = strict.Form{
		Name:   "path of a file",
		OK:     func(s string) bool { return strings.TrimSpace(s) != "" && !strings.Contains(s, "://") },
		Remedy: "write the path of the rules file, as seen from this file's folder",
	}
	accountID  = strict.Matching("account id", reAccount, "write twelve digits in quotes, without hyphens")
	regionName = strict.Matching("Region", reRegion, "write the name of a Region, such as us-east-1")
	email      = strict.Matching("e-mail address", reEmail, "write the bare address, such as security@acme.example")
	placeID    = strict.Matching("id of a root or an organizational unit", reRoot+"|"+reUnit, "write the id that Organizations shows, such as r-abcd or ou-abcd-11111111; names and paths are not ids")
	attachable = strict.Matching("id of a root, an organizational unit or an account", reRoot+"|"+reUnit+"|"+reAccount, "write the id that Organizations shows, such as r-abcd, ou-abcd-11111111 or \"111122223333\"")
	target     = strict.Form{
		Name:   "root or organizational unit",
		OK:     func(s string) bool { return !accountID.OK(s) },
		Remedy: "a StackSet goes to whole units: move the account into one and write that unit's id, such as ou-abcd-11111111",
		Then:   &placeID,
	}
)

// elsewhere says where fields belong that people write into the wrong place.
func elsewhere() map[string]string {
	out := map[string]string{
		"externalId": "keep it out of files: it is a secret, and a parameter of the stacks, " + ExternalIDParameter,
		"hub":        "write way: hub, and the hub's account as account",
	}
	for _, name := range []string{"webhook", "webhookUrl", "slackWebhook", "slackWebhookUrl"} {
		out[name] = remedyWebhook
	}
	for name, path := range map[string]string{
		"targets": "members.targets", "regions": "assumeRole.regions", "email": "alarms.email", "emails": "alarms.email",
		"everyMinutes": "canary.everyMinutes", "everyHours": "sweep.everyHours", "days": "logs.days", "scp": "guardrails.scp", "rcp": "guardrails.rcp",
	} {
		out[name] = "write it as " + path
	}
	for _, name := range []string{"organization", "partition", "management", "accounts", "partners", "modes", "exemptions", "limits", "protected"} {
		out[name] = "write it in the rules file"
	}
	return out
}

const (
	remedyEmpty   = "write at least version, way, account and rules; testdata/deployments/single.yaml is a sample to begin with"
	remedyList    = "list at least one, or leave it out"
	remedyRegions = "list the Regions to watch, or leave assumeRole out"
	remedyTargets = "list the roots or organizational units to cover, such as members: {targets: [r-abcd]}"
	webhookPlace  = "the webhook goes into the secret " + SlackSecret + " once that is deployed, and never into a file"
	remedyWebhook = "write slack: present; " + webhookPlace
	remedySlack   = "write " + wordAbsent + " or " + wordPresent + "; " + webhookPlace
)
