package optim

import "artel/param"

// nearestName returns the parameter whose name takes the fewest edits of the pattern to match.
func nearestName(pattern string, set *param.Set) string {
	best, bestD := "", 0
	for _, p := range set.Params {
		if d := distance(flat(pattern), flat(p.Name)); best == "" || d < bestD {
			best, bestD = p.Name, d
		}
	}
	return best
}

// distance is the number of letters to insert, delete or replace in a pattern until it matches name: * takes any letters, ? any one.
func distance(pattern, name string) int {
	row := make([]int, len(name)+1)
	for j := range row {
		row[j] = j
	}
	for i := 0; i < len(pattern); i++ {
		c, above := pattern[i], row[0] // above is the entry up and to the left
		if c != '*' {
			row[0]++
		}
		for j := 1; j <= len(name); j++ {
			up, d := row[j], above
			above = up
			switch {
			case c == '*':
				row[j] = min(up, row[j-1], d)
				continue
			case c != '?' && c != name[j-1]:
				d++
			}
			row[j] = min(d, up+1, row[j-1]+1)
		}
	}
	return row[len(name)]
}
