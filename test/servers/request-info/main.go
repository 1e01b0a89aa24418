// What the Kubernetes API server makes of request lines: one JSON object {method, target} a line in,
// one a line out, which is its RequestInfo, or the error that it answers with.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"strings"

	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
)

func main() {
	// As the API server sets it up (pkg/server/config.go, NewRequestInfoResolver).
	factory := request.RequestInfoFactory{
		APIPrefixes:          sets.NewString("api", "apis"),
		GrouplessAPIPrefixes: sets.NewString("api"),
	}
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var line struct{ Method, Target string }
		if err := in.Decode(&line); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			log.Fatal(err)
		}
		head := line.Method + " " + line.Target + " HTTP/1.1\r\nHost: kubernetes\r\n\r\n"
		var info *request.RequestInfo
		req, err := http.ReadRequest(bufio.NewReader(strings.NewReader(head)))
		if err == nil {
			info, err = factory.NewRequestInfo(req)
		}
		if err != nil {
			err = out.Encode(map[string]string{"Error": err.Error()})
		} else {
			err = out.Encode(info)
		}
		if err != nil {
			log.Fatal(err)
		}
	}
}
