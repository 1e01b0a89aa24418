// A client on grpc-go: calls an echo as often, as large and as concurrent as the arguments say, asks for and
// watches the server's health, and exits with 1 when an answer is not the right one.
//
//	grpc-go-client TARGET METHOD CALLS BYTES
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/status"
)

const limit = 30 * time.Second

// Bytes as they are.
type rawCodec struct{}

func (rawCodec) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (rawCodec) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

func (rawCodec) Name() string { return "raw" }

var _ encoding.CodecV2 = rawCodec{}

func main() {
	target, method := os.Args[1], os.Args[2]
	calls, err := strconv.Atoi(os.Args[3])
	must(err)
	size, err := strconv.Atoi(os.Args[4])
	must(err)
	conn, err := grpc.NewClient(target, grpc.WithTransportCredentials(insecure.NewCredentials()))
	must(err)
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	health := grpc_health_v1.NewHealthClient(conn)
	checked, err := health.Check(ctx, &grpc_health_v1.HealthCheckRequest{})
	must(err)
	watch, err := health.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	must(err)
	watched, err := watch.Recv()
	must(err)
	var group sync.WaitGroup
	for call := range calls {
		group.Go(func() {
			message := bytes.Repeat([]byte{byte(call)}, size)
			var answer []byte
			must(conn.Invoke(ctx, method, message, &answer, grpc.ForceCodecV2(rawCodec{})))
			if !bytes.Equal(answer, message) {
				must(fmt.Errorf("call %d: a wrong answer of %d bytes", call, len(answer)))
			}
		})
	}
	group.Wait()
	var nothing []byte
	unknown := conn.Invoke(ctx, "/test.Test/Unknown", []byte{}, &nothing, grpc.ForceCodecV2(rawCodec{}))
	short, cancelShort := context.WithTimeout(ctx, 100*time.Millisecond)
	defer cancelShort()
	late := conn.Invoke(short, method, []byte("wait"), &nothing, grpc.ForceCodecV2(rawCodec{}))
	fmt.Println(checked.Status, watched.Status, status.Code(unknown), status.Code(late))
	if status.Code(unknown) != codes.Unimplemented || status.Code(late) != codes.DeadlineExceeded {
		os.Exit(1)
	}
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
