// Runs every case of h2spec, the strict ones included, against a server on loopback that has no TLS, and
// exits with 1 when one fails.
//
//	h2spec PORT SECONDS [SECTION...]
package main

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/summerwind/h2spec"
	"github.com/summerwind/h2spec/config"
)

func main() {
	port, err := strconv.Atoi(os.Args[1])
	if err != nil {
		fail(err)
	}
	seconds, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fail(err)
	}
	passed, err := h2spec.Run(&config.Config{
		Host:         "127.0.0.1",
		Port:         port,
		Path:         "/",
		Timeout:      time.Duration(seconds) * time.Second,
		MaxHeaderLen: 4000,
		Strict:       true,
		Sections:     os.Args[3:],
	})
	if err != nil {
		fail(err)
	}
	if !passed {
		os.Exit(1)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(2)
}
