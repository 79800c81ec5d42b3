//go:build !race

package convergence_test

// every is every how many-th call is made to go wrong: all.
const every = 1
