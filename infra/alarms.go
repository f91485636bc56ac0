package main

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/constructs-go/constructs/v10"

	"github.com/rolewarden/rolewarden/pkg/deployment"
)

// newAlarms adds every alarm of the deployment; they tell the alarm topic when
// they go off and when all is well again.
func newAlarms(scope constructs.Construct, d *deployment.Deployment, topic string) {
	for _, a := range d.Alarms() {
		props := &awscloudwatch.CfnAlarmProps{
			AlarmName:          str(a.Name),
			AlarmDescription:   str(a.Description),
			DatapointsToAlarm:  num(float64(a.Breaching)),
			EvaluationPeriods:  num(float64(a.Periods)),
			Threshold:          num(a.Threshold),
			ComparisonOperator: str(a.Comparison.String()),
			TreatMissingData:   str(a.Missing.String()),
			ActionsEnabled:     yes(),
			AlarmActions:       &[]any{topic},
			OkActions:          &[]any{topic},
		}
		switch a.Change {
		case deployment.NoChange:
			props.Namespace, props.MetricName, props.Dimensions = str(a.Namespace), str(a.Metric), dimensionsOf(a)
			props.Statistic, props.Period = str(a.Statistic.String()), num(a.Period.Seconds())
		case deployment.AnyChange:
			props.Metrics = changeOf(a)
		}
		awscloudwatch.NewCfnAlarm(scope, str(logicalName(a.Name)), props)
	}
}

// changeOf asks for how far a metric moved. A period without data repeats the
// one before (CloudWatch User Guide, using-metric-math: FILL, DIFF).
func changeOf(a deployment.Alarm) []any {
	return []any{
		&awscloudwatch.CfnAlarm_MetricDataQueryProperty{
			Id: str("m"), ReturnData: no(),
			MetricStat: &awscloudwatch.CfnAlarm_MetricStatProperty{
				Metric: &awscloudwatch.CfnAlarm_MetricProperty{Namespace: str(a.Namespace), MetricName: str(a.Metric), Dimensions: dimensionsOf(a)},
				Period: num(a.Period.Seconds()), Stat: str(a.Statistic.String()),
			},
		},
		&awscloudwatch.CfnAlarm_MetricDataQueryProperty{Id: str("moved"), Expression: str("ABS(DIFF(FILL(m, REPEAT)))"), ReturnData: yes()},
	}
}

func dimensionsOf(a deployment.Alarm) []any {
	var out []any
	for _, one := range a.Dimensions {
		out = append(out, &awscloudwatch.CfnAlarm_DimensionProperty{Name: str(one.Name), Value: str(one.Value)})
	}
	return out
}
