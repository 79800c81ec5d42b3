//go:build !race

package cli_test

// raceCost is 1 without the race detector.
const raceCost = 1
