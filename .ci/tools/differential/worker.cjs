// The second judge of single requests: @cloud-copilot/iam-simulate as a process
// of its own. It is a tool of the tests, under the AGPL; nothing of it is
// linked with rolewarden, copied into it or shipped with it.
//
// One line in, one line out. In: {"policy": a trust policy, "requests":
// [[principal, role, actions, context], ...]}. Out: a JSON string with a letter
// for each request, "A" where the trust policy lets every action through and
// "D" where it does not, or {"error": text}.
"use strict";

const path = require("node:path");

const room = path.join(__dirname, "..", "node_modules", "@cloud-copilot");
const inside = (...names) => require(path.join(room, ...names));
// The package's public entry drops the keys of web identities and refuses trust
// policies, so the room behind it is called, by its path.
const { authorize, analyzeResourcePolicy } = inside("iam-simulate", "dist", "cjs", "core_engine", "CoreSimulatorEngine.js");
const { AwsRequestImpl } = inside("iam-simulate", "dist", "cjs", "request", "request.js");
const { DiscoveryContextKeyConstraints } = inside("iam-simulate", "dist", "cjs", "context_keys", "discoveryContextKeyConstraints.js");
const { RequestContextImpl } = inside("iam-simulate", "dist", "cjs", "requestContext.js");
const { loadPolicy } = inside("iam-policy", "dist", "cjs", "index.js");

const strict = {
  simulationMode: "Strict",
  discoveryContextKeyConstraints: new DiscoveryContextKeyConstraints([]),
};
const everything = loadPolicy({
  Version: "2012-10-17",
  Statement: [{ Effect: "Allow", Action: "*", Resource: "*" }],
}, { name: "everything" });

// verdicts that let the caller through; AllowedForAccount leaves it to the
// caller's own account, which is no matter of the trust policy.
const through = new Set(["Allowed", "AllowedForAccount"]);

let asked = 0;

function judge(policy, request) {
  const verdict = analyzeResourcePolicy(policy, request, false, strict).result;
  // Now and then the whole engine is asked too, with a caller who may do
  // everything: what it says of the trust policy must be the same.
  if (asked++ % 1000 === 0) {
    const whole = authorize({
      request,
      simulationParameters: strict,
      identityPolicies: [everything],
      serviceControlPolicies: [],
      resourceControlPolicies: [],
      resourcePolicy: policy,
    });
    if (whole.resourceAnalysis.result !== verdict) {
      throw new Error(`authorize says ${whole.resourceAnalysis.result}, its part ${verdict}`);
    }
  }
  return through.has(verdict);
}

function answer(line) {
  const { policy, requests } = JSON.parse(line);
  const loaded = loadPolicy(policy, { name: "trust policy" });
  let out = "";
  for (const [principal, role, actions, context] of requests) {
    const known = new RequestContextImpl(context);
    const resource = { resource: role, accountId: role.split(":")[4] };
    const allowed = actions.every((action) =>
      judge(loaded, new AwsRequestImpl(principal, resource, action, known, false)));
    out += allowed ? "A" : "D";
  }
  return out;
}

let rest = "";
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk) => {
  const lines = (rest + chunk).split("\n");
  rest = lines.pop();
  let out = "";
  for (const line of lines) {
    try {
      out += JSON.stringify(answer(line)) + "\n";
    } catch (e) {
      out += JSON.stringify({ error: String(e) }) + "\n";
    }
  }
  process.stdout.write(out);
});
