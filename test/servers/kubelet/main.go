// A kubelet as far as API servers call it, with the streaming code of the container runtimes
// (k8s.io/cri-streaming) and that of the kubelet's logs (k8s.io/cri-client). Its containers are
// processes of this machine, each in a folder of its own; their ports are those of the machine.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// configuration is the file that the only argument names.
type configuration struct {
	Address     string
	Certificate string
	Key         string
	// ClientCA is that of the API server's client certificate.
	ClientCA   string
	Containers []containerSpec
}

// containerSpec says what a container runs.
type containerSpec struct {
	Namespace, Pod, Name string
	Command              []string
	TTY                  bool
	// Folder is where it runs, and Log the file of its log.
	Folder, Log string
}

func main() {
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(file string) error {
	var config configuration
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	node := &kubelet{containers: map[string]*container{}}
	for _, spec := range config.Containers {
		running, err := startContainer(spec)
		if err != nil {
			return err
		}
		node.containers[spec.Namespace+"/"+spec.Pod+"/"+spec.Name] = running
	}
	endWithSignal()
	authority, err := os.ReadFile(config.ClientCA)
	if err != nil {
		return err
	}
	callers := x509.NewCertPool()
	callers.AppendCertsFromPEM(authority)
	server := http.Server{
		Addr:    config.Address,
		Handler: node.routes(),
		TLSConfig: &tls.Config{
			ClientAuth: tls.RequireAndVerifyClientCert,
			ClientCAs:  callers,
			MinVersion: tls.VersionTLS12,
		},
	}
	return server.ListenAndServeTLS(config.Certificate, config.Key)
}

// endWithSignal has every process of the containers end with this one.
func endWithSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		killProcesses()
		os.Exit(0)
	}()
}
