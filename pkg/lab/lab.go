package lab

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"regexp"
	"sync"
	"time"

	"github.com/rolewarden/rolewarden/pkg/lab/judge"
	"github.com/rolewarden/rolewarden/pkg/lab/table"
)

// Config describes the organization that a Lab imitates.
type Config struct {
	// Partition defaults to "aws".
	Partition string
	// OrganizationID is for example "o-exampleorgid". Without one, calls to
	// Organizations answer AWSOrganizationsNotInUseException.
	OrganizationID string
	// ManagementAccount defaults to the first account.
	ManagementAccount string
	// DelegatedAdministrators may read the whole organization beside the
	// management account. An empty list lets every member read it.
	DelegatedAdministrators []string
	// Accounts keep their order.
	Accounts []Account
	// Now defaults to time.Now.
	Now func() time.Time
	// Rand feeds IDs and keys; it defaults to crypto/rand. A seeded reader
	// gives reproducible IDs.
	Rand io.Reader
	// TrustPolicyQuota is the largest trust policy, white space not counted.
	// It defaults to 2048, AWS's own default.
	TrustPolicyQuota int
	// LastCalls is how many calls Calls remembers at least, the newest; 0
	// remembers all. It is for who makes millions.
	LastCalls int
}

// Account is one AWS account. Outside says that it lives in AWS but not in
// this organization.
type Account struct {
	ID, Name, OU string
	Outside      bool
}

// Credentials sign calls. SessionToken is empty for long-term keys.
type Credentials struct {
	AccessKeyID, SecretAccessKey, SessionToken string
}

// Lab is an AWS organization in one process. It is safe for concurrent use.
type Lab struct {
	config     Config
	partition  partition
	operations map[string]map[string]operation

	mu          sync.Mutex
	accounts    map[string]*account
	order       []*account
	keys        map[string]*credential
	owners      map[string]*owner // unique ID -> user or role, deleted ones too
	templates   map[string]Template
	documents   map[string]*judge.Policy // parsed, by their text; nil for what is no policy
	faults      []*fault
	calls       []Call
	readLag     time.Duration
	propagation time.Duration
	base        string

	deliveries deliveries
}

// account holds what lives in one account. Maps of roles and users are keyed
// by the lower-case name: IAM's names are unique ignoring case.
type account struct {
	Account
	joined    time.Time
	alias     string
	roles     map[string]*role
	ghosts    map[string]*role // deleted, but still shown within the read lag
	users     map[string]*user
	goneUsers map[string]*user // deleted, but still shown by a stale read
	policies  map[string]managedPolicy
	providers map[string]*provider
	topics    map[string]*topic
	queues    map[string]*queue
	secrets   map[string]*secret
	kmsKeys   map[string]*kmsKey
	tables    map[string]*table.Tables // by Region
	rules     map[string]SeedRule      // of EventBridge, by ARN
}

var accountID = regexp.MustCompile(`^[0-9]{12}$`)

// New makes a lab. Every account has the IAM user "lab-admin".
func New(config Config) (*Lab, error) {
	if config.Partition == "" {
		config.Partition = "aws"
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Rand == nil {
		config.Rand = rand.Reader
	}
	if config.TrustPolicyQuota == 0 {
		config.TrustPolicyQuota = defaultTrustPolicyQuota
	}
	if config.ManagementAccount == "" && len(config.Accounts) > 0 {
		config.ManagementAccount = config.Accounts[0].ID
	}
	l := &Lab{
		config:     config,
		partition:  partition(config.Partition),
		operations: operations(),
		accounts:   map[string]*account{},
		keys:       map[string]*credential{},
		owners:     map[string]*owner{},
		templates:  map[string]Template{},
		documents:  map[string]*judge.Policy{},
	}
	for _, a := range config.Accounts {
		if err := l.AddAccount(a); err != nil {
			return nil, fmt.Errorf("making the lab: %w", err)
		}
	}
	if _, ok := l.accounts[config.ManagementAccount]; !ok && config.ManagementAccount != "" {
		return nil, fmt.Errorf("making the lab: the management account %q is not in Accounts: add it", config.ManagementAccount)
	}
	return l, nil
}

// AddAccount makes another account. One that is there already is an error.
func (l *Lab) AddAccount(a Account) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.addAccount(a)
}

func (l *Lab) addAccount(a Account) error {
	if !accountID.MatchString(a.ID) {
		return fmt.Errorf("account %q: an account ID has 12 digits", a.ID)
	}
	if _, ok := l.accounts[a.ID]; ok {
		return fmt.Errorf("account %s is there already", a.ID)
	}
	if a.Name == "" {
		a.Name = "account-" + a.ID
	}
	acct := &account{
		Account: a, joined: l.now(),
		roles: map[string]*role{}, ghosts: map[string]*role{}, users: map[string]*user{}, goneUsers: map[string]*user{},
		policies: map[string]managedPolicy{}, providers: map[string]*provider{},
		topics: map[string]*topic{}, queues: map[string]*queue{}, secrets: map[string]*secret{},
		kmsKeys: map[string]*kmsKey{}, tables: map[string]*table.Tables{}, rules: map[string]SeedRule{},
	}
	l.accounts[a.ID] = acct
	l.order = append(l.order, acct)
	admin, err := l.addUser(acct, adminUser, "/")
	if err != nil {
		return err
	}
	admin.attached = []string{l.partition.managed("AdministratorAccess")}
	admin.visible = l.now()
	return nil
}

// adminUser is the IAM user that every account has for the lab's own needs.
const adminUser = "lab-admin"

// Admin makes an access key for the account's user "lab-admin", whose own
// permission policy allows everything.
func (l *Lab) Admin(account string) (Credentials, error) { return l.UserKeys(account, adminUser) }

// UserKeys makes an access key for a user that exists. Unlike the API it has
// no limit of two keys, and it emits no event.
func (l *Lab) UserKeys(account, name string) (Credentials, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return Credentials{}, err
	}
	u, ok := acct.users[fold(name)]
	if !ok {
		return Credentials{}, fmt.Errorf("account %s has no user %q: make it with SeedUser or CreateUser", account, name)
	}
	key, err := l.newKey(u)
	if err != nil {
		return Credentials{}, err
	}
	return key.credentials(), nil
}

// RootKeys makes an access key of the account's root user, which no role may
// be assumed with.
func (l *Lab) RootKeys(account string) (Credentials, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	acct, err := l.known(account)
	if err != nil {
		return Credentials{}, err
	}
	key, err := l.mint(longTermKey)
	if err != nil {
		return Credentials{}, err
	}
	key.caller = caller{kind: rootUser, partition: l.partition, account: acct}
	l.keys[key.id] = key
	return key.credentials(), nil
}

func (l *Lab) known(id string) (*account, error) {
	acct, ok := l.accounts[id]
	if !ok {
		return nil, fmt.Errorf("the lab has no account %q: add it with AddAccount", id)
	}
	return acct, nil
}

// SetReadLag lets GetRole show each write only after the lag, on the lab's
// clock.
func (l *Lab) SetReadLag(lag time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readLag = lag
}

// SetPropagation makes principals created from now on unknown to trust
// policies until the time has passed.
func (l *Lab) SetPropagation(d time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.propagation = d
}

func (l *Lab) now() time.Time { return l.config.Now().UTC() }

// errNoBody tells that a request's body is larger than any AWS call's.
var errNoBody = errors.New("the request body is too large")
