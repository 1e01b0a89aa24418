// A client on grpc-go: calls an echo as often, as large and as concurrent as the arguments say, asks for and
// watches the server's health, and exits with 1 when an answer is not the right one.
//
// With "stream", it calls an echo of streams instead: on each stream it sends so many messages, receives them
// while it sends, and closes its side.
//
//	grpc-go-client TARGET METHOD CALLS BYTES
//	grpc-go-client TARGET METHOD STREAMS BYTES stream MESSAGES
package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
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
	if len(os.Args) > 5 {
		messages, err := strconv.Atoi(os.Args[6])
		must(err)
		streams(ctx, conn, method, calls, size, messages)
		return
	}
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

// Calls the echo on all streams at once; prints the code of a stream that it cancels in the end.
func streams(ctx context.Context, conn *grpc.ClientConn, method string, count, size, messages int) {
	description := &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}
	raw := grpc.ForceCodecV2(rawCodec{})
	var group sync.WaitGroup
	for index := range count {
		group.Go(func() {
			stream, err := conn.NewStream(ctx, description, method, raw)
			must(err)
			message := bytes.Repeat([]byte{byte(index)}, size)
			go func() {
				for range messages {
					must(stream.SendMsg(message))
				}
				must(stream.CloseSend())
			}()
			for number := range messages {
				var answer []byte
				must(stream.RecvMsg(&answer))
				if !bytes.Equal(answer, message) {
					must(fmt.Errorf("stream %d: wrong answer %d of %d bytes", index, number, len(answer)))
				}
			}
			var end []byte
			if err := stream.RecvMsg(&end); err != io.EOF {
				must(fmt.Errorf("stream %d: %v instead of its end", index, err))
			}
		})
	}
	group.Wait()
	short, cancel := context.WithCancel(ctx)
	stream, err := conn.NewStream(short, description, method, raw)
	must(err)
	must(stream.SendMsg([]byte("hello")))
	var answer []byte
	must(stream.RecvMsg(&answer))
	cancel()
	fmt.Println(string(answer), status.Code(stream.RecvMsg(&answer)))
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
