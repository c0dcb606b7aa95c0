"""The scripts of backup and restore, on a real PostgreSQL."""

import os
import subprocess
from pathlib import Path

import pytest
from conftest import CHARTS, OWNERS, ROOT, containers, of_kind, psql

FILES = CHARTS / "wraparound/files"
LOG = "services/chassis/events/src/postgres_log.sql"


def database(postgres, name, migrated):
    """A database with a role a service, none of which may make schemas; and with the services' tables, or without."""
    psql(postgres, f"create database {name}")
    admin = postgres.replace("/postgres?", f"/{name}?")
    urls = {}
    for schema in [*OWNERS, "event_log"]:
        psql(postgres, f"do $$ begin create role {schema} login; exception when duplicate_object then null; end $$")
        psql(admin, f"create schema {schema} authorization {schema}")
        urls[schema] = admin.replace("postgres@", f"{schema}@")
        if migrated and schema == "event_log":
            psql(urls[schema], (ROOT / LOG).read_text().replace("create schema if not exists event_log;", ""))
        elif migrated:
            for file in sorted((ROOT / "migrations/chassis").glob("*.sql")) + sorted((ROOT / "migrations" / schema).glob("*.sql")):
                psql(urls[schema], file.read_text(), schema)
    return urls


def run(script, folder, urls, **variables):
    environment = {**os.environ, "BACKUP_DIR": str(folder), "KEEP": "2", "SERVICES": " ".join(urls), **variables}
    environment |= {f"{schema.upper()}_DATABASE_URL": url for schema, url in urls.items()}
    return subprocess.run(["bash", FILES / script], capture_output=True, text=True, env=environment)


@pytest.fixture(scope="module")
def source(postgres):
    urls = database(postgres, "source", migrated=True)
    psql(urls["plans"], "insert into outbox (id, aggregatetype, aggregateid, type, payload) select gen_random_uuid(), 't', 'i', 'T', '' from generate_series(1, 100)", "plans")
    psql(urls["event_log"], "insert into event_log.topic values ('plans.plan.v1', 7, false)")
    return urls


@pytest.fixture
def backups(source, tmp_path):
    done = run("backup.sh", tmp_path, source)
    assert done.returncode == 0, done.stderr
    for schema in source:
        assert f"{schema}: " in done.stdout
    return tmp_path


def folders(path):
    return sorted(f.name for f in Path(path).iterdir())


def held(urls):
    return psql(urls["plans"], "select count(*) from plans.outbox"), psql(urls["event_log"], "select next_offset from event_log.topic")


def test_there_and_back(postgres, source, backups):
    empty = database(postgres, "empty", migrated=False)
    done = run("restore.sh", backups, empty, BACKUP="latest")
    assert done.returncode == 0, done.stderr
    assert f"restored: {folders(backups)[0]}" in done.stdout
    assert held(empty) == ("100", "7")

    # Each role owns what came back, and may go on migrating it.
    strangers = "select count(*) from pg_tables where schemaname not in ('pg_catalog', 'information_schema') and tableowner <> schemaname"
    assert psql(empty["plans"], strangers) == "0"

    def objects(urls):
        return {schema: psql(url, f"select relname, relkind from pg_class where relnamespace = '{schema}'::regnamespace order by 1") for schema, url in urls.items()}

    assert objects(empty) == objects(source)


def test_what_is_there_is_not_overwritten_unless_asked(postgres, backups):
    urls = database(postgres, "newer", migrated=True)
    psql(urls["plans"], "create table newer (id int); create function newer() returns int language sql as 'select 1'", "plans")
    refused = run("restore.sh", backups, urls)
    assert refused.returncode == 1 and "OVERWRITE=yes replaces them" in refused.stderr
    assert held(urls) == ("0", "")

    done = run("restore.sh", backups, urls, OVERWRITE="yes")
    assert done.returncode == 0, done.stderr
    assert held(urls) == ("100", "7")
    assert psql(urls["plans"], "select to_regclass('plans.newer') is null and to_regproc('plans.newer') is null") == "t"


def test_a_failure_leaves_what_was_there(postgres, backups):
    urls = database(postgres, "torn", migrated=True)
    psql(urls["rosters"], "insert into outbox (id, aggregatetype, aggregateid, type, payload) values (gen_random_uuid(), 't', 'i', 'T', '')", "rosters")
    dump = backups / folders(backups)[0] / "rosters.dump"
    # A dump that ends early, and whose sum says that it was made so.
    dump.write_bytes(dump.read_bytes()[: dump.stat().st_size * 3 // 4])
    subprocess.run("sha256sum -- *.dump >SHA256SUMS", shell=True, check=True, cwd=dump.parent)
    done = run("restore.sh", backups, urls, OVERWRITE="yes")
    assert done.returncode != 0
    assert psql(urls["rosters"], "select count(*) from rosters.outbox") == "1"


def test_a_damaged_backup_is_refused(postgres, source, backups):
    with open(backups / folders(backups)[0] / "plans.dump", "ab") as dump:
        dump.write(b"x")
    done = run("restore.sh", backups, source, OVERWRITE="yes")
    assert done.returncode == 1 and "its sums do not match" in done.stderr
    assert held(source) == ("100", "7")


def test_the_oldest_are_forgotten_and_the_incomplete_do_not_count(source, backups):
    for name in ["20200101T000000Z", "20200102T000000Z", "20200103T000000Z.partial"]:
        (backups / name).mkdir()
    newest = folders(backups)[-1]
    # Names are by the second.
    subprocess.run(["sleep", "1.1"], check=True)
    done = run("backup.sh", backups, source)
    assert done.returncode == 0, done.stderr
    assert "forgotten: 20200101T000000Z" in done.stdout
    assert len(folders(backups)) == 2 and folders(backups)[0] == newest


def test_an_address_that_leads_nowhere_makes_no_backup(source, tmp_path):
    wrong = {**source, "plans": source["plans"].replace("/source?", "/nowhere?")}
    assert run("backup.sh", tmp_path, wrong).returncode != 0
    assert all(name.endswith(".partial") for name in folders(tmp_path))
    assert run("restore.sh", tmp_path, source).returncode == 1


def test_the_job_restores_all_then_migrates_then_prepares(rendered):
    job = of_kind(rendered["small, restoring"], "Job")[0]
    template = job["spec"]["template"]
    first, *rest = [c["name"] for c in containers(template)]
    assert first == "restore"
    assert rest == [f"migrate-{s}" for s in OWNERS] + [f"after-restore-{s}" for s in OWNERS]
    assert template["spec"]["containers"][0]["args"][:5] == ["after-restore", "--log", "kept", "--all-set-back-to", "2026-01-31T01:30:00Z"]
    assert job["spec"]["backoffLimit"] == 0


def test_the_event_log_is_part_of_it_only_without_kafka(rendered):
    def services(scenario):
        container = of_kind(rendered[scenario], "CronJob")[0]["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]
        return {v["name"]: v.get("value") for v in container["env"]}["SERVICES"]

    assert services("small").split() == [*OWNERS, "event_log"]
    assert services("district").split() == OWNERS
