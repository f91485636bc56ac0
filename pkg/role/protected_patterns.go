package role

// GuardedPatterns gives the ARN patterns of the roles that are never written,
// in a partition, for an IAM policy that denies writing them. They are made of
// the same list as Protected and cover whatever it does, names in another case
// excepted: ARNs in policies heed case.
func GuardedPatterns(partition string) []string {
	var out []string
	all := "arn:" + partition + ":iam::*:role"
	for _, g := range guards() {
		switch {
		case g.path != "":
			out = append(out, all+g.path+"*")
		case g.name != "":
			out = append(out, all+"/"+g.name, all+"/service-role/"+g.name)
		default:
			out = append(out, all+"/"+g.prefix+"*", all+"/service-role/"+g.prefix+"*")
		}
	}
	return out
}
