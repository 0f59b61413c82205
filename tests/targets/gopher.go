// Go: goroutines with stacks of their own; two shares that arithmetic gives.
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"
)

//go:noinline
func divide(rounds uint64) uint64 {
	value, by := uint64(1), rounds%2+3
	for i := uint64(0); i < rounds; i++ {
		value = (value^i)/by + 1 /* known: divide */
	}
	return value
}

func work(until time.Time, sum chan<- uint64) {
	total := uint64(0)
	for time.Now().Before(until) {
		total += divide(300000) /* known: three */
		total += divide(100000) /* known: one */
	}
	sum <- total
}

func main() {
	seconds := 300
	if len(os.Args) > 1 {
		seconds, _ = strconv.Atoi(os.Args[1])
	}
	fmt.Println("ready")
	sum := make(chan uint64)
	go work(time.Now().Add(time.Duration(seconds)*time.Second), sum)
	fmt.Println(<-sum)
}
