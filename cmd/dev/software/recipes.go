package software

import (
	"embed"
	"io/fs"
	"path"
	"strings"

	"github.com/muster-dev/muster/convergence/engine/docker"
)

// recipe is how an image is made. Paths have no slash in front; those in packages may have wildcards.
type recipe struct {
	Name      string
	Packages  []string // that have what is taken, beside what they depend on
	Versioned string   // how the name of the package begins whose version the image gets
	Take      []string // files and folders of packages; what the programs among them are linked with comes too
	Leave     []string // of what is taken: paths whose end these are, or in whose folders they are
	Link      []string // programs that get a name in /usr/local/bin
	Own       map[string]own
	Folders   map[string]folder
	Links     map[string]string // to what they point to
	User      user
	Config    docker.ScratchImage
}

// own is a file of ours, in files/<recipe>.
type own struct {
	From string
	Mode fs.FileMode
}

type folder struct {
	Mode fs.FileMode
	Own  bool // belongs to the recipe's user
}

// user is whom the software runs as; no name means root.
type user struct {
	Name string
	ID   int
	Home string
}

const (
	program  = 0o755
	readable = 0o644
	anybody  = 0o1777
	entry    = "usr/local/bin/docker-entrypoint.sh"
)

func all() []recipe { return []recipe{busybox(), redis(), nginx(), postgres()} }

// unneeded is how the names of packages begin that others depend on for being installed, or for what is left out here.
func unneeded() []string {
	return []string{
		"adduser", "debconf", "dpkg", "init-system-helpers", "iproute2", "libbpf", "libelf", "libfile-", "libgdbm", "libjson-perl",
		"libllvm", "libnumber-", "libpam-modules", "libperl", "libsemanage", "libsepol", "libtext-", "libtirpc", "libxtables",
		"libz3", "libc-l10n", "locales", "lsb-base", "openssl", "passwd", "perl", "postgresql-common", "postgresql-client-common",
		"readline-common", "sensible-utils", "ssl-cert", "sysvinit-utils", "tar", "ucf", "usrmerge",
	}
}

func busybox() recipe {
	return recipe{
		Name: "busybox", Packages: []string{"busybox-static"}, Versioned: "busybox-static",
		Config: docker.ScratchImage{Cmd: []string{"sh"}},
	}
}

func redis() recipe {
	return recipe{
		Name: "redis", Packages: []string{"redis-server", "redis-tools", "gosu"}, Versioned: "redis-server",
		Take:    []string{"usr/bin/redis-server", "usr/bin/redis-cli", "usr/bin/redis-benchmark", "usr/sbin/gosu"},
		Own:     map[string]own{entry: {"docker-entrypoint.sh", program}},
		Folders: map[string]folder{"data": {Mode: program, Own: true}},
		User:    user{Name: "redis", ID: 999, Home: "/data"},
		Config: docker.ScratchImage{
			Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"redis-server"},
			WorkingDir: "/data", Volumes: []string{"/data"}, Expose: []string{"6379/tcp"},
		},
	}
}

func nginx() recipe {
	return recipe{
		Name: "nginx", Packages: []string{"nginx", "nginx-common"}, Versioned: "nginx",
		Take: []string{"usr/sbin/nginx", "etc/nginx/mime.types", "etc/nginx/*_params"},
		Own: map[string]own{
			"etc/nginx/nginx.conf":            {"nginx.conf", readable},
			"etc/nginx/conf.d/default.conf":   {"default.conf", readable},
			"usr/share/nginx/html/index.html": {"index.html", readable},
		},
		Folders: map[string]folder{"var/lib/nginx": {Mode: program}, "run": {Mode: program}},
		Links:   map[string]string{"var/log/nginx/access.log": "/dev/stdout", "var/log/nginx/error.log": "/dev/stderr"},
		User:    user{Name: "nginx", ID: 101, Home: "/nonexistent"},
		Config: docker.ScratchImage{
			Cmd: []string{"nginx", "-g", "daemon off;"}, StopSignal: "SIGQUIT", Expose: []string{"80/tcp"},
		},
	}
}

// postgres is without its just-in-time compiler, which is bigger than all the rest.
func postgres() recipe {
	const data = "/var/lib/postgresql/data"
	return recipe{
		Name: "postgres", Packages: []string{"postgresql", "gosu", "libc-bin", "tzdata"}, Versioned: "postgresql-client-1",
		Take: []string{
			"usr/lib/postgresql/*/bin", "usr/lib/postgresql/*/lib", "usr/share/postgresql/*", "usr/sbin/gosu",
			"usr/lib/locale/C.utf8", "usr/bin/locale", "usr/share/zoneinfo",
		},
		Leave: []string{"lib/bitcode", "lib/llvmjit.so", "lib/llvmjit_types.bc", "lib/pgxs", "share/man", "zoneinfo/right", "zoneinfo/posix"},
		Link:  []string{"usr/lib/postgresql/*/bin/*"},
		Own:   map[string]own{entry: {"docker-entrypoint.sh", program}},
		Folders: map[string]folder{
			"var/lib/postgresql":         {Mode: program, Own: true},
			data[1:]:                     {Mode: 0o700, Own: true},
			"run/postgresql":             {Mode: 0o3777, Own: true},
			"docker-entrypoint-initdb.d": {Mode: program},
		},
		User: user{Name: "postgres", ID: 999, Home: "/var/lib/postgresql"},
		Config: docker.ScratchImage{
			Entrypoint: []string{"docker-entrypoint.sh"}, Cmd: []string{"postgres"},
			Env: map[string]string{"LANG": "C.UTF-8", "PGDATA": data}, Volumes: []string{data},
			StopSignal: "SIGINT", Expose: []string{"5432/tcp"},
		},
	}
}

//go:embed files
var ownFiles embed.FS

// ownFile is one of our files.
func (r recipe) ownFile(name string) ([]byte, error) {
	return ownFiles.ReadFile(path.Join("files", r.Name, name))
}

// files are all of a recipe's own files in one text.
func files(name string) string {
	var text strings.Builder
	_ = fs.WalkDir(ownFiles, path.Join("files", name), func(file string, item fs.DirEntry, err error) error {
		if err != nil || item.IsDir() {
			return err // a recipe without files of its own has no folder
		}
		content, err := ownFiles.ReadFile(file)
		text.WriteString(file + "\n" + string(content))
		return err
	})
	return text.String()
}
