package main

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	cri "k8s.io/cri-api/pkg/apis"
	runtimeapi "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/cri-client/pkg/logs"
)

func (k *kubelet) serveLogs(answer http.ResponseWriter, request *http.Request) {
	target, err := k.find(nameOf(request))
	if err != nil {
		http.Error(answer, err.Error(), http.StatusNotFound)
		return
	}
	query := request.URL.Query()
	options := &logs.LogOptions{
		TailLines:  numberIn(query, "tailLines"),
		LimitBytes: numberIn(query, "limitBytes"),
		Follow:     query.Get("follow") == "true",
		Timestamp:  query.Get("timestamps") == "true",
	}
	out := flushed{answer, http.NewResponseController(answer)}
	name := nameOf(request)
	if err := logs.ReadLogs(request.Context(), target.spec.Log, name, options, states{of: k}, out, out); err != nil {
		http.Error(answer, err.Error(), http.StatusInternalServerError)
	}
}

func numberIn(query url.Values, name string) *int64 {
	number, err := strconv.ParseInt(query.Get(name), 10, 64)
	if err != nil {
		return nil
	}
	return &number
}

// flushed sends what is written at once.
type flushed struct {
	io.Writer
	controller *http.ResponseController
}

func (f flushed) Write(text []byte) (int, error) {
	count, err := f.Writer.Write(text)
	if err == nil {
		err = f.controller.Flush()
	}
	return count, err
}

// states is the runtime as far as whoever follows a log asks it: whether more can come.
type states struct {
	cri.RuntimeService
	of *kubelet
}

func (s states) ContainerStatus(_ context.Context, name string, _ bool) (*runtimeapi.ContainerStatusResponse, error) {
	target, err := s.of.find(name)
	if err != nil {
		return nil, err
	}
	state := runtimeapi.ContainerState_CONTAINER_RUNNING
	select {
	case <-target.ended:
		state = runtimeapi.ContainerState_CONTAINER_EXITED
	default:
	}
	return &runtimeapi.ContainerStatusResponse{Status: &runtimeapi.ContainerStatus{State: state}}, nil
}
