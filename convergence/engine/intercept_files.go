package engine

import (
	"context"
	"io"
)

func (i *intercepted) PutArchive(ctx context.Context, ref, folder string, archive io.Reader, options PutArchive) error {
	return i.around(ctx, Call{Name: "PutArchive", Object: ref + ":" + folder}, func(ctx context.Context) error {
		return i.next.PutArchive(ctx, ref, folder, archive, options)
	})
}

func (i *intercepted) GetArchive(ctx context.Context, ref, path string, read func(PathStat, io.Reader) error) error {
	return i.around(ctx, Call{Name: "GetArchive", Object: ref + ":" + path, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.GetArchive(ctx, ref, path, read)
	})
}

func (i *intercepted) StatPath(ctx context.Context, ref, path string) (PathStat, error) {
	return result(ctx, i, Call{Name: "StatPath", Object: ref + ":" + path}, func(ctx context.Context) (PathStat, error) {
		return i.next.StatPath(ctx, ref, path)
	})
}

func (i *intercepted) ExportContainer(ctx context.Context, ref string, to io.Writer) error {
	return i.around(ctx, Call{Name: "ExportContainer", Object: ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.ExportContainer(ctx, ref, to)
	})
}

func (i *intercepted) ListProcesses(ctx context.Context, ref string) (Processes, error) {
	return result(ctx, i, Call{Name: "ListProcesses", Object: ref}, func(ctx context.Context) (Processes, error) {
		return i.next.ListProcesses(ctx, ref)
	})
}

func (i *intercepted) Stats(ctx context.Context, ref string, once bool, yield func(Stats) error) error {
	return i.around(ctx, Call{Name: "Stats", Object: ref, Kind: Streaming}, func(ctx context.Context) error {
		return i.next.Stats(ctx, ref, once, yield)
	})
}
