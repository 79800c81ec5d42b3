//go:build race

package convergence_test

// every is every how many-th call is made to go wrong where each takes many times as long.
const every = 97
