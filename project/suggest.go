package project

import "strings"

// didYouMean is the hint that names a word; empty for no word.
func didYouMean(word string) string {
	if word == "" {
		return ""
	}
	return "did you mean " + quote(word) + "?"
}

// nearest is the candidate that somebody who typed the word most likely meant; empty where none is near enough. Candidates
// come in the order in which equally near ones are preferred.
func nearest(word string, candidates []string) string {
	const longest = 64
	if len(word) > longest {
		return ""
	}
	best, least := "", allowedEdits(word)+1
	for _, candidate := range candidates {
		if candidate == word {
			continue
		}
		if edits := distance(strings.ToLower(word), strings.ToLower(candidate), least); edits < least {
			best, least = candidate, edits
		}
	}
	return best
}

// Nearest is the candidate that somebody who typed the word most likely meant; empty where none is near enough. Of equally near
// ones it is the first.
func Nearest(word string, candidates []string) string { return nearest(word, candidates) }

// allowedEdits is how many slips one may have made in a word of this length.
func allowedEdits(word string) int {
	switch length := len(word); {
	case length < 3:
		return 0
	case length < 5:
		return 1
	case length < 9:
		return 2
	default:
		return 3
	}
}

// distance is the number of letters to add, drop, change or swap with their neighbour to turn one word into the other; from
// limit on it is only known to be no less than limit.
func distance(a, b string, limit int) int {
	if difference := len(a) - len(b); difference >= limit || -difference >= limit {
		return limit
	}
	before, last, row := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
