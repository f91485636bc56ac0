package proof

import "strings"

// presence says whether a key is in a request.
type presence uint8

const (
	// unsettled keys are not documented for this caller: absent and present are
	// both readings.
	unsettled presence = iota
	never
	always
	// free keys are there or not as the caller, or the caller's surroundings, will.
	free
	// fixedUnknown keys are the same in every request, and we do not know them.
	fixedUnknown
	// doubtful keys are in no request that AWS documents of this caller; that
	// they are in none at all is not documented.
	doubtful
	// derived keys follow from who the caller is; the variant of callers binds them.
	derived
)

// kindSet holds one presence for each kind of caller.
type kindSet struct {
	user, session, service, saml, oidc presence
}

func everyone(p presence) kindSet { return kindSet{p, p, p, p, p} }

func (k kindSet) of(c CallerKind) presence {
	switch c {
	case Users:
		return k.user
	case RoleSessions:
		return k.session
	case Services:
		return k.service
	case SAMLIdentities:
		return k.saml
	case OIDCIdentities:
		return k.oidc
	case NoCaller:
		return unsettled
	default:
		return unsettled
	}
}

// keyRow is one row of the attacker model: who has the key, what it may hold.
type keyRow struct {
	presence kindSet
	lang     *language
	natural  []string
	// many marks multi-valued keys, arn those whose values are ARNs.
	many, arn bool
	// page is where AWS says so, in the IAM User Guide unless told otherwise.
	page string
}

const (
	pageGlobal   = "reference_policies_condition-keys"
	pageSTS      = "reference_policies_iam-condition-keys"
	pageQuotas   = "reference_iam-quotas"
	pageVariable = "reference_policies_variables"
)

var (
	sessionClass = classOf("A-Za-z0-9_+=,.@\x2d")
	digitClass   = classOf("0-9")
	upperClass   = classOf("A-Z0-9")
	lowerClass   = classOf("a-z0-9")
	regionClass  = lowerClass.plus("-")
	externalCls  = sessionClass.plus(":/")
	printClass   = classOf("\x20-\x7e")
	textClass    = classOf("\x20-\x7e").and(allBeyond)
	tagClass     = classOf("A-Za-z0-9 _.:/=+@").plus("-").and(lettersBeyond)
	pathClass    = classOf("\x21-\x7e")

	sessionLang  = words(sessionClass, 2, 64)
	externalLang = words(externalCls, 2, 1224)
	textLang     = words(textClass, 1, 2048)
	tagLang      = words(tagClass, 0, 256)
	tagKeyLang   = words(tagClass, 1, 128)
	boolLang     = &language{finite: []string{"false", "true"}}
	addressLang  = &language{family: addressFamily}
	countLang    = words(digitClass, 1, 10)
	regionLang   = words(regionClass, 8, 25)
	vpcLang      = shaped(fixed("vpc-"), run(lowerClass, 8, 17))
	vpceLang     = shaped(fixed("vpce-"), run(lowerClass, 8, 17))
	orgLang      = shaped(fixed("o-"), run(lowerClass, 10, 32))
	accountLang  = words(digitClass, 12, 12)
	contextLang  = shaped(fixed("arn:aws"), run(regionClass, 0, 12), fixed(":iam::aws:contextProvider/"), run(sessionClass, 1, 64))
	arnLang      = &language{shapes: [][]segment{
		arnShape(segment{set: digitClass, min: 12, max: 12, field: accountWindow}),
		arnShape(segment{set: digitClass, min: 0, max: 0, field: accountWindow}),
	}}
	orgHead     = []segment{{text: "o-", field: orgWindow}, {set: lowerClass, min: 10, max: 32, field: orgWindow}}
	orgPathLang = &language{shapes: [][]segment{
		append(orgHead[:2:2], fixed("/r-"), run(lowerClass, 4, 32), fixed("/")),
		append(orgHead[:2:2], fixed("/r-"), run(lowerClass, 4, 32), fixed("/ou-"), run(pathTail, 4, 400), fixed("/")),
	}}
	pathTail = lowerClass.plus("-/")

	anyAddress = anyAddressTest()
)

func (c class) plus(chars string) class {
	for _, r := range chars {
		if r < 64 {
			c.low |= 1 << uint(r)
		} else {
			c.high |= 1 << uint(r-64)
		}
	}
	return c
}

func arnShape(account segment) []segment {
	return []segment{
		fixed("arn:aws"), run(regionClass, 0, 12), fixed(":"), run(regionClass, 1, 40), fixed(":"),
		run(regionClass, 0, 25), fixed(":"), account, fixed(":"), run(printClass, 1, 512),
	}
}

func anyAddressTest() *test {
	v4, _ := parseNet("0.0.0.0/0")
	v6, _ := parseNet("::/0")
	return &test{family: addressFamily, nets: []net{v4, v6}}
}

// keyRows is the table: the attacker model, written down once. Families of
// keys end in a slash. Keys bound to the caller (derived) are filled in by the
// variant in caller.go.
var keyRows = map[string]keyRow{
	"sts:rolesessionname":   {presence: everyone(always), lang: sessionLang, natural: []string{"bob", "eve", "audit-1", "session-1", "trudy-2"}, page: pageSTS},
	"sts:externalid":        {presence: kindSet{free, free, free, never, never}, lang: externalLang, natural: []string{"acme-42", "guess-1", "external-id-0123456789", "x1"}, page: pageSTS},
	"sts:sourceidentity":    {presence: everyone(free), lang: sessionLang, natural: []string{"bob", "eve", "audit-1", "alice"}, page: pageSTS},
	"aws:sourceidentity":    {presence: kindSet{never, derived, never, never, never}, lang: sessionLang, page: pageGlobal},
	"aws:requesttag/":       {presence: everyone(free), lang: tagLang, natural: []string{"blue", "red", "1"}, page: pageGlobal},
	"aws:tagkeys":           {presence: everyone(free), lang: tagKeyLang, natural: []string{"team", "project"}, many: true, page: pageGlobal},
	"sts:transitivetagkeys": {presence: everyone(free), lang: tagKeyLang, natural: []string{"team", "project"}, many: true, page: pageSTS},
	"sts:requestcontext/":   {presence: kindSet{free, free, free, never, never}, lang: textLang, natural: []string{"blue", "red"}, page: pageSTS},
	"sts:requestcontextproviders": {
		presence: kindSet{free, free, free, never, never}, lang: contextLang, many: true, arn: true,
		natural: []string{"arn:aws:iam::aws:contextProvider/IdentityCenter"}, page: pageSTS,
	},
	"sts:roleauthorizedbyidp":   {presence: kindSet{never, never, never, never, free}, lang: boolLang, page: pageSTS},
	"sts:durationseconds":       {presence: everyone(never), lang: countLang, page: pageSTS},
	"sts:awsservicename":        {presence: everyone(never), lang: textLang, page: pageSTS},
	"sts:taskpolicyarn":         {presence: everyone(never), lang: arnLang, arn: true, page: pageSTS},
	"sts:identitytokenaudience": {presence: everyone(never), lang: textLang, many: true, page: pageSTS},
	"sts:signingalgorithm":      {presence: everyone(never), lang: textLang, page: pageSTS},

	"aws:principalarn":              {presence: kindSet{derived, derived, unsettled, unsettled, unsettled}, lang: arnLang, arn: true, page: pageGlobal},
	"aws:principalaccount":          {presence: kindSet{derived, derived, unsettled, unsettled, unsettled}, lang: accountLang, page: pageGlobal},
	"aws:username":                  {presence: kindSet{derived, never, never, never, never}, lang: words(sessionClass, 1, 64), page: pageVariable},
	"aws:userid":                    {presence: kindSet{derived, derived, unsettled, unsettled, unsettled}, lang: textLang, page: pageVariable},
	"aws:principaltype":             {presence: kindSet{derived, derived, unsettled, unsettled, unsettled}, lang: textLang, page: pageVariable},
	"aws:principalorgid":            {presence: kindSet{derived, derived, never, unsettled, unsettled}, lang: orgLang, page: pageGlobal},
	"aws:principalorgpaths":         {presence: kindSet{derived, derived, never, unsettled, unsettled}, lang: orgPathLang, many: true, page: pageGlobal},
	"aws:principaltag/":             {presence: kindSet{free, free, never, unsettled, unsettled}, lang: tagLang, natural: []string{"blue", "red", "1"}, page: pageGlobal},
	"aws:principalisawsservice":     {presence: everyone(derived), lang: boolLang, page: pageGlobal},
	"aws:principalservicename":      {presence: kindSet{never, never, derived, never, never}, lang: textLang, page: pageGlobal},
	"aws:principalservicenameslist": {presence: kindSet{never, never, fixedUnknown, never, never}, lang: textLang, many: true, page: pageGlobal},
	"aws:federatedprovider":         {presence: kindSet{never, free, never, never, derived}, lang: textLang, natural: []string{"accounts.google.com"}, page: pageGlobal},
	"aws:assumedroot":               {presence: everyone(never), lang: boolLang, page: pageGlobal},

	"aws:multifactorauthpresent": {presence: kindSet{free, always, never, never, never}, lang: boolLang, page: pageGlobal},
	"aws:multifactorauthage":     {presence: kindSet{free, free, never, never, never}, lang: countLang, natural: []string{"60", "30", "100000"}, page: pageGlobal},
	"aws:tokenissuetime":         {presence: kindSet{free, always, unsettled, never, never}, page: pageGlobal},
	"aws:chatbotsourcearn":       {presence: kindSet{never, free, never, never, never}, lang: arnLang, arn: true, page: pageGlobal},
	"aws:ec2instancesourcevpc":   {presence: kindSet{never, free, never, never, never}, lang: vpcLang, page: pageGlobal},
	"aws:ec2instancesourceprivateipv4": {
		presence: kindSet{never, free, never, never, never}, lang: addressLang,
		natural: []string{"10.0.0.1"}, page: pageGlobal,
	},
	"ec2:sourceinstancearn":    {presence: kindSet{never, free, never, never, never}, lang: arnLang, arn: true, page: pageGlobal},
	"lambda:sourcefunctionarn": {presence: kindSet{never, free, never, never, never}, lang: arnLang, arn: true, page: pageGlobal},

	"aws:sourceip":        {presence: everyone(free), lang: addressLang, natural: []string{"203.0.113.5", "198.51.100.7", "8.8.8.8", "2001:db8::1"}, page: pageGlobal},
	"aws:vpcsourceip":     {presence: everyone(free), lang: addressLang, natural: []string{"10.0.0.1"}, page: pageGlobal},
	"aws:sourcevpc":       {presence: everyone(free), lang: vpcLang, natural: []string{"vpc-0123456789abcdef0"}, page: pageGlobal},
	"aws:sourcevpce":      {presence: everyone(free), lang: vpceLang, natural: []string{"vpce-0123456789abcdef0"}, page: pageGlobal},
	"aws:useragent":       {presence: everyone(free), lang: textLang, natural: []string{"aws-cli/2.0", "Mozilla/5.0"}, page: pageGlobal},
	"aws:referer":         {presence: everyone(free), lang: textLang, natural: []string{"https://example.com/"}, page: pageGlobal},
	"aws:requestedregion": {presence: everyone(always), lang: regionLang, natural: []string{"us-east-1", "eu-west-1", "ap-northeast-1"}, page: pageGlobal},
	"aws:currenttime":     {presence: everyone(derived), page: pageGlobal},
	"aws:epochtime":       {presence: everyone(derived), page: pageGlobal},
	"aws:securetransport": {presence: everyone(derived), lang: boolLang, page: pageGlobal},
	"aws:viaawsservice":   {presence: everyone(derived), lang: boolLang, page: pageGlobal},
	"aws:calledvia":       {presence: everyone(doubtful), lang: textLang, many: true, page: pageGlobal},
	"aws:calledviafirst":  {presence: everyone(doubtful), lang: textLang, page: pageGlobal},
	"aws:calledvialast":   {presence: everyone(doubtful), lang: textLang, page: pageGlobal},

	"aws:sourceaccount": {
		presence: kindSet{never, never, free, never, never}, lang: accountLang,
		natural: []string{"999999999999", "888888888888", "123456789012", "314159265358"}, page: pageGlobal,
	},
	"aws:sourcearn": {
		presence: kindSet{never, never, free, never, never}, lang: arnLang, arn: true,
		natural: []string{
			"arn:aws:lambda:us-east-1:999999999999:function:app", "arn:aws:lambda:us-east-1:888888888888:function:app",
			"arn:aws:lambda:us-east-1:123456789012:function:app", "arn:aws:lambda:us-east-1:314159265358:function:app",
		}, page: pageGlobal,
	},
	"aws:sourceorgid": {
		presence: kindSet{never, never, free, never, never}, lang: orgLang,
		natural: []string{"o-zzzzzzzzzz", "o-exampleorg"}, page: pageGlobal,
	},
	"aws:sourceorgpaths": {
		presence: kindSet{never, never, free, never, never}, lang: orgPathLang, many: true,
		natural: []string{"o-zzzzzzzzzz/r-zzzz/"}, page: pageGlobal,
	},

	"aws:resourceaccount":  {presence: everyone(derived), lang: accountLang, page: pageGlobal},
	"aws:resourceorgid":    {presence: everyone(derived), lang: orgLang, page: pageGlobal},
	"aws:resourceorgpaths": {presence: everyone(fixedUnknown), lang: orgPathLang, many: true, page: pageGlobal},
	"aws:resourcetag/":     {presence: everyone(fixedUnknown), lang: tagLang, page: pageGlobal},
	"iam:resourcetag/":     {presence: everyone(fixedUnknown), lang: tagLang, page: pageSTS},

	"saml:aud":                          samlRow(always, "https://signin.aws.amazon.com/saml", "https://mallory.example.com/saml"),
	"saml:iss":                          samlRow(always, "https://idp.example.com/", "https://other.example.com/"),
	"saml:sub":                          samlRow(always, "mallory", "bob"),
	"saml:sub_type":                     samlRow(always, "persistent", "transient"),
	"saml:namequalifier":                samlRow(free, "qualifier"),
	"saml:doc":                          samlRow(free, "123456789012/idp"),
	"saml:edupersonaffiliation":         samlMany(),
	"saml:edupersonassurance":           samlMany(),
	"saml:edupersonentitlement":         samlMany(),
	"saml:edupersonnickname":            samlMany(),
	"saml:edupersonorgunitdn":           samlMany(),
	"saml:edupersonscopedaffiliation":   samlMany(),
	"saml:edupersontargetedid":          samlMany(),
	"saml:eduorghomepageuri":            samlMany(),
	"saml:eduorgidentityauthnpolicyuri": samlMany(),
	"saml:eduorglegalname":              samlMany(),
	"saml:eduorgsuperioruri":            samlMany(),
	"saml:eduorgwhitepagesuri":          samlMany(),
	"saml:cn":                           samlMany(),
	"cognito-identity.amazonaws.com:amr": {
		presence: kindSet{never, free, never, never, free}, lang: textLang, many: true,
		natural: []string{"authenticated", "unauthenticated"}, page: pageSTS,
	},
}

func samlRow(p presence, natural ...string) keyRow {
	return keyRow{presence: kindSet{never, free, never, p, never}, lang: textLang, natural: natural, page: pageSTS}
}

func samlMany() keyRow {
	return keyRow{
		presence: kindSet{never, unsettled, never, free, never}, lang: textLang, many: true,
		natural: []string{"staff", "member"}, page: pageSTS,
	}
}

// carriedClaims are the claims of a web identity that iam's service reference
// lists for AssumeRole too: sessions carry them on.
var carriedClaims = map[string]struct{}{
	"accounts.google.com:aud": {}, "accounts.google.com:sub": {},
	"cognito-identity.amazonaws.com:aud": {}, "cognito-identity.amazonaws.com:sub": {},
	"graph.facebook.com:app_id": {}, "graph.facebook.com:id": {},
	"www.amazon.com:app_id": {}, "www.amazon.com:user_id": {},
}

var (
	unknownRow = keyRow{presence: everyone(unsettled), lang: words(textClass, 0, 2048), natural: []string{"x", "true", "1", "123456789012"}}
	claimRow   = keyRow{presence: kindSet{never, unsettled, never, never, never}, lang: textLang, natural: []string{"mallory", "bob", "sts.amazonaws.com"}, page: pageSTS}
	otherSAML  = keyRow{presence: kindSet{never, free, never, free, never}, lang: textLang, natural: []string{"mallory", "bob"}, page: pageSTS}
)

// lookupKey gives the row of a key, lower-cased, for callers of no particular
// provider. Claims are told by the dot in what stands before the last colon.
func lookupKey(key string) keyRow {
	if row, ok := keyRows[key]; ok {
		return row
	}
	if i := strings.IndexByte(key, '/'); i > 0 {
		if row, ok := keyRows[key[:i+1]]; ok {
			return row
		}
	}
	if strings.HasPrefix(key, "saml:") {
		return otherSAML
	}
	if i := strings.LastIndexByte(key, ':'); i > 0 && strings.IndexByte(key[:i], '.') > 0 {
		row := claimRow
		if _, ok := carriedClaims[key]; ok {
			row.presence.session = free
		}
		return row
	}
	return unknownRow
}
