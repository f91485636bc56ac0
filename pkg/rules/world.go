package rules

import "github.com/rolewarden/rolewarden/pkg/proof"

// World is what is known about a role and its surroundings, for those who ask
// proof a question of their own, such as what a change newly allows.
func World(in Input) proof.World {
	in = in.settled()
	w := in.world()
	// What is asked may be about other documents too.
	w.Members = in.Org.MemberIDs()
	return w
}
