package project

import "strings"

// serviceKeys is the order of keys inside a service that docker compose v5.5 hashes by.
func serviceKeys(path string) []string {
	switch path {
	case "":
		return strings.Fields(topKeys)
	case "configs.*", "secrets.*":
		return []string{"source", "target", "uid", "gid", "mode"}
	case "volumes.*":
		return []string{"type", "source", "target", "read_only", "consistency", "bind", "volume", "tmpfs", "image"}
	case "volumes.*.bind":
		return []string{"selinux", "propagation", "create_host_path", "recursive"}
	case "volumes.*.volume":
		return []string{"labels", "nocopy", "subpath"}
	case "volumes.*.tmpfs":
		return []string{"size", "mode"}
	case "volumes.*.image":
		return []string{"subpath"}
	case "ports.*":
		return []string{"name", "mode", "host_ip", "target", "published", "protocol", "app_protocol"}
	case "networks.*":
		return strings.Fields(`aliases driver_opts gw_priority interface_name ipv4_address ipv6_address link_local_ips mac_address
			priority`)
	case "healthcheck":
		return []string{"test", "timeout", "interval", "retries", "start_period", "start_interval", "disable"}
	case "logging":
		return []string{"driver", "options"}
	case "ulimits.*":
		return []string{"soft", "hard"}
	case "provider":
		return []string{"type", "options"}
	case "models.*":
		return []string{"endpoint_var", "model_var"}
	case "credential_spec":
		return []string{"config", "file", "registry"}
	}
	if keys := deployKeys(path); keys != nil {
		return keys
	}
	return rareKeys(path)
}

func deployKeys(path string) []string {
	switch path {
	case "deploy":
		return strings.Fields(`mode labels update_config rollback_config resources restart_policy placement endpoint_mode`)
	case "deploy.update_config", "deploy.rollback_config":
		return []string{"parallelism", "delay", "failure_action", "monitor", "max_failure_ratio", "order"}
	case "deploy.resources":
		return []string{"limits", "reservations"}
	case "deploy.resources.limits", "deploy.resources.reservations":
		return []string{"cpus", "memory", "pids", "devices", "generic_resources"}
	case "deploy.restart_policy":
		return []string{"condition", "delay", "max_attempts", "window"}
	case "deploy.placement":
		return []string{"constraints", "preferences", "max_replicas_per_node"}
	}
	switch {
	case strings.HasSuffix(path, ".generic_resources.*"):
		return []string{"discrete_resource_spec"}
	case strings.HasSuffix(path, ".discrete_resource_spec"):
		return []string{"kind", "value"}
	}
	return nil
}

func rareKeys(path string) []string {
	switch path {
	case "devices.*":
		return []string{"source", "target", "permissions"}
	case "gpus.*", "deploy.resources.limits.devices.*", "deploy.resources.reservations.devices.*":
		return []string{"capabilities", "driver", "count", "device_ids", "options"}
	case "blkio_config":
		return strings.Fields(`weight weight_device device_read_bps device_read_iops device_write_bps device_write_iops`)
	case "blkio_config.weight_device.*":
		return []string{"Path", "Weight"}
	case "blkio_config.device_read_bps.*", "blkio_config.device_read_iops.*",
		"blkio_config.device_write_bps.*", "blkio_config.device_write_iops.*":
		return []string{"Path", "Rate"}
	case "develop":
		return []string{"watch"}
	case "develop.watch.*":
		return []string{"path", "action", "target", "exec", "include", "ignore", "initial_sync"}
	case "develop.watch.*.exec", "pre_start.*", "post_start.*", "pre_stop.*":
		return []string{"command", "image", "user", "privileged", "working_dir", "environment", "per_replica"}
	}
	return nil
}

const topKeys = `annotations attach develop blkio_config cap_add cap_drop cgroup_parent cgroup cpu_count cpu_percent cpu_period
	cpu_quota cpu_rt_period cpu_rt_runtime cpus cpuset cpu_shares command configs container_name credential_spec deploy
	device_cgroup_rules devices dns dns_opt dns_search dockerfile domainname entrypoint provider environment env_file expose
	extends external_links extra_hosts group_add gpus hostname healthcheck image init ipc isolation labels label_file links
	logging log_driver log_opt mem_limit mem_reservation memswap_limit mem_swappiness mac_address models net network_mode
	networks oom_kill_disable oom_score_adj pid pids_limit platform ports privileged read_only restart runtime secrets
	security_opt shm_size stdin_open stop_grace_period stop_signal storage_opt sysctls tmpfs tty ulimits use_api_socket user
	userns_mode uts volume_driver volumes volumes_from working_dir pre_start post_start pre_stop`

// networkKeys is the order of keys inside a network that docker compose v5.5 hashes by.
func networkKeys(path string) []string {
	switch path {
	case "":
		return strings.Fields(`name driver driver_opts ipam external internal attachable labels enable_ipv4 enable_ipv6`)
	case "ipam":
		return []string{"driver", "config", "options"}
	case "ipam.config.*":
		return []string{"subnet", "gateway", "ip_range", "aux_addresses"}
	}
	return nil
}

// volumeKeys is the order of keys inside a volume that docker compose v5.5 hashes by.
func volumeKeys(path string) []string {
	if path == "" {
		return []string{"name", "driver", "driver_opts", "external", "labels"}
	}
	return nil
}
