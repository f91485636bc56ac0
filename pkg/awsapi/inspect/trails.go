package inspect

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"

	"github.com/rolewarden/rolewarden/pkg/doctor"
)

// Trails implements doctor.Trails. Trails of other Regions and of the
// organization that reach into the Region are among them. One whose state
// cannot be read says so itself, and hides no other.
func (i *Inspection) Trails(ctx context.Context, region string) ([]doctor.Trail, error) {
	out, err := i.cloudtrail().DescribeTrails(ctx, &cloudtrail.DescribeTrailsInput{IncludeShadowTrails: aws.Bool(true)}, in(region))
	if err != nil {
		return nil, unseen("cloudtrail:DescribeTrails", err)
	}
	var trails []doctor.Trail
	for _, t := range out.TrailList {
		one := doctor.Trail{Name: aws.ToString(t.Name), ARN: aws.ToString(t.TrailARN), Home: aws.ToString(t.HomeRegion)}
		if aws.ToBool(t.IsMultiRegionTrail) {
			one.Reach = doctor.EveryRegion
		}
		if aws.ToBool(t.IncludeGlobalServiceEvents) {
			one.Global = doctor.WithGlobal
		}
		if aws.ToBool(t.IsOrganizationTrail) {
			one.Owner = doctor.WholeOrganization
		}
		one.Unread = i.trail(ctx, &one, t)
		trails = append(trails, one)
	}
	return trails, nil
}

// in makes a call in a Region.
func in(region string) func(*cloudtrail.Options) {
	return func(o *cloudtrail.Options) {
		if region != "" {
			o.Region = region
		}
	}
}

// trail adds a trail's state and selectors. A trail is asked about where it was
// made, and by its ARN, which works for those of the organization too
// (CloudTrail API Reference, API_GetTrailStatus).
func (i *Inspection) trail(ctx context.Context, t *doctor.Trail, described types.Trail) error {
	status, err := i.cloudtrail().GetTrailStatus(ctx, &cloudtrail.GetTrailStatusInput{Name: aws.String(t.ARN)}, in(t.Home))
	if err != nil {
		return unseen("cloudtrail:GetTrailStatus", err)
	}
	if aws.ToBool(status.IsLogging) {
		t.Logging = doctor.Recording
	}
	t.Trouble = aws.ToString(status.LatestDeliveryError)
	out, err := i.cloudtrail().GetEventSelectors(ctx, &cloudtrail.GetEventSelectorsInput{TrailName: aws.String(t.ARN)}, in(t.Home))
	switch custom := described.HasCustomEventSelectors; {
	case err != nil && custom != nil && !*custom:
		// That of an organization shows its selectors only in the account that it
		// belongs to, and this in every account.
		out = &cloudtrail.GetEventSelectorsOutput{}
	case err != nil:
		return unseen("cloudtrail:GetEventSelectors", err)
	}
	for _, s := range out.EventSelectors {
		if s.IncludeManagementEvents == nil || *s.IncludeManagementEvents {
			t.Selectors = append(t.Selectors, selectorOf(s))
		}
	}
	for _, s := range out.AdvancedEventSelectors {
		var one doctor.Selector
		for _, f := range s.FieldSelectors {
			one = append(one, doctor.Field{
				Name: aws.ToString(f.Field), Equals: f.Equals, StartsWith: f.StartsWith, EndsWith: f.EndsWith,
				NotEquals: f.NotEquals, NotStartsWith: f.NotStartsWith, NotEnds: f.NotEndsWith,
			})
		}
		t.Selectors = append(t.Selectors, one)
	}
	if len(out.EventSelectors)+len(out.AdvancedEventSelectors) == 0 {
		// A trail that was given none records all management events (CloudTrail
		// API Reference, API_PutEventSelectors).
		t.Selectors = []doctor.Selector{selectorOf(types.EventSelector{})}
	}
	return nil
}

// selectorOf writes a basic selector as an advanced one.
func selectorOf(s types.EventSelector) doctor.Selector {
	out := doctor.Selector{{Name: "eventCategory", Equals: []string{"Management"}}}
	switch s.ReadWriteType {
	case types.ReadWriteTypeReadOnly:
		out = append(out, doctor.Field{Name: "readOnly", Equals: []string{"true"}})
	case types.ReadWriteTypeWriteOnly:
		out = append(out, doctor.Field{Name: "readOnly", Equals: []string{"false"}})
	case types.ReadWriteTypeAll:
	}
	if len(s.ExcludeManagementEventSources) > 0 {
		out = append(out, doctor.Field{Name: "eventSource", NotEquals: s.ExcludeManagementEventSources})
	}
	return out
}
