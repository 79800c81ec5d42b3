//go:build race

package cli_test

// raceCost is how many times as much of the processor a program with the race detector may take. It is said to cost two to twenty
// times (go.dev/doc/articles/race_detector); reading large files was seen to cost seven.
const raceCost = 8
