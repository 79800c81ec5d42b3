//go:build race

package convergence_test

// every is every how many-th call is made to go wrong where each takes several times as long.
const every = 9
