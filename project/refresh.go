package project

import (
	"time"

	"github.com/compose-spec/compose-go/v2/types"
)

// RefreshAfter says after what time the image of a service is to be asked for again: by pull_policy daily, weekly and every_TIME, or
// refresh with pull_refresh_after. ok is false for services with other policies.
func RefreshAfter(service Service) (age time.Duration, ok bool) {
	policy, age, err := service.GetPullPolicy()
	if err != nil || policy != PullRefresh {
		return 0, false
	}
	var after types.Duration
	if service.PullPolicy == PullRefresh && after.DecodeMapstructure(service.PullRefreshAfter) == nil {
		age = time.Duration(after)
	}
	return age, true
}

// checkRefresh checks when an image is asked for again.
func (c *checker) checkRefresh(service Service) {
	path := "services." + service.Name + "."
	after := service.PullRefreshAfter
	switch {
	case c.unknown(service.PullPolicy) || c.unknown(after):
	case service.PullPolicy == PullRefresh && after == "":
		c.report(path+"pull_policy", `"refresh" needs "pull_refresh_after"`, "")
	case after != "" && checkDuration(after) != "":
		c.report(path+"pull_refresh_after", checkDuration(after), "")
	}
	if _, _, err := service.GetPullPolicy(); err != nil && !c.unknown(service.PullPolicy) {
		c.report(path+"pull_policy", "pull policy "+quote(service.PullPolicy)+" does not parse", `after "every_" comes a time, "every_12h"`)
	}
}
