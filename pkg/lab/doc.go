// Package lab is an AWS organization in one process: several accounts with
// IAM, STS, an event bus, SNS, Organizations, DynamoDB, and a little of KMS, SQS,
// EventBridge and Secrets Manager, on one loopback HTTP endpoint.
//
// It takes signed API calls as the real SDK clients and the aws command line
// send them (set AWS_ENDPOINT_URL), and gives the answers, errors and
// CloudTrail events that AWS gives. It never looks at another room of this
// module and decides every policy with an evaluator of its own (judge), so
// that trying a request here is a second opinion on what the product found.
//
// What it imitates with care:
//
//   - principals of a trust policy must exist when it is saved; they are kept
//     as unique IDs, shown as ARNs while their owner lives and follow its
//     renames, shown as IDs afterwards, and never bound to a new owner of the
//     same name;
//   - trust, permission and session policies and permissions boundaries,
//     within an account and between accounts; role chaining; source identity;
//     a boundary that is set holds in sessions already issued;
//   - tables of DynamoDB, their expressions, conditions and transactions (the
//     room table says how far); keys of KMS that make and check MACs, under
//     their own policies and the callers';
//   - each write, also a failed one, and each AssumeRole becomes a CloudTrail
//     event in an EventBridge envelope;
//   - names, paths, tags, quotas, paging, service-linked roles;
//   - Signature Version 4 is verified, but not how old a signature is;
//   - faults on demand, before or after the effect and in each service's own
//     words, reads that lag, principals that are not yet known.
//
// What it does not imitate:
//
//   - identity providers: SAML assertions and web identity tokens are read,
//     not verified (make them with SAMLAssertion and WebIdentityToken), and
//     claims become condition keys for a few known providers only;
//   - IAM's check that trust in a shared OpenID Connect provider evaluates
//     the claims it must;
//   - multi-factor devices: any serial number with any six digits counts;
//   - groups, instance profiles, login profiles, policy versions, service
//     control policies, resource policies of SNS, SQS, Secrets Manager and
//     DynamoDB;
//   - keys of KMS that encrypt or sign, grants, and calls that change a key's
//     policy: SeedKey writes it; CloudTrail events of KMS and DynamoDB; of
//     DynamoDB's condition keys LeadingKeys and EnclosingOperation only;
//   - AWS's own managed policies, of which a few have short stand-ins;
//   - rate limits, other than as an injected Throttle;
//   - long polling in SQS, FIFO queues, and subscription filters in SNS;
//   - the notation of IAM's role templates: see Template.
//
// Beside the wire there are calls that only a lab can have: Admin and UserKeys
// make keys, SeedRole, SeedUser, SeedTable, SeedKey and SeedRule write down a past,
// AssumeAsService lets an AWS service in, Inject makes calls go wrong (and
// FaultKind.Fits says which faults a call can have), ExpireItems lets DynamoDB
// remove what has expired, OnEvent and OnMessage listen, Calls tells what was
// asked. X-Forwarded-For sets an event's source address.
//
// Where AWS's documentation is silent the lab chooses: a trust policy may say
// "sts:*" but not "*", a lone Deny for everyone is accepted, providers and
// services are not looked up, and all actions of one AssumeRole call see the
// same condition keys, and a policy that is somebody's boundary cannot be
// deleted. An OU of an Account may be a name or an ID. When no
// delegated administrators are configured, every member may read the
// organization.
package lab
