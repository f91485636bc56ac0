"""Has parliament and cloudsplaining judge IAM policies.

Takes JSON on standard input: {"name": {"document": {...}, "kind": "permission" or another word}}.
Gives JSON: a list of {"name", "tool", "issue", "detail"}, one for each finding.
parliament reads every document; cloudsplaining those that say what a role may do, and is told to
count statements with conditions and resources too, so that nothing hides behind them.
"""

import json
import sys
import warnings

warnings.filterwarnings("ignore", message="pkg_resources is deprecated")

import parliament
from cloudsplaining.scan.policy_document import PolicyDocument


def wording(name, document):
    policy = parliament.analyze_policy_string(json.dumps(document), include_community_auditors=True)
    for f in policy.findings:
        detail = f.detail if isinstance(f.detail, str) else json.dumps(f.detail, default=str, sort_keys=True)
        action = f.location.get("actions", "") if isinstance(f.location, dict) else ""
        yield {"name": name, "tool": "parliament", "issue": f.issue, "detail": f"{detail} {json.dumps(action) if action else ''}".strip()}


def reach(name, document):
    policy = PolicyDocument(document, flag_conditional_statements=True, flag_resource_arn_statements=True)
    found = {
        "privilege escalation": [f"{e['type']}: {', '.join(e['actions'])}" for e in policy.allows_privilege_escalation],
        "data exfiltration": policy.allows_data_exfiltration_actions,
        "credentials exposure": policy.credentials_exposure,
        "permissions management": policy.permissions_management_without_constraints,
        "service wildcard": policy.service_wildcard,
        "not action": [str(s) for s in policy.contains_statement_using_not_action],
    }
    for issue, details in found.items():
        for detail in sorted(details):
            yield {"name": name, "tool": "cloudsplaining", "issue": issue, "detail": detail}


def main():
    findings = []
    for name, one in sorted(json.load(sys.stdin).items()):
        findings += wording(name, one["document"])
        if one["kind"] == "permission":
            findings += reach(name, one["document"])
    json.dump(findings, sys.stdout)


main()
