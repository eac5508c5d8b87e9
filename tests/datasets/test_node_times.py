from tcga_coherent.datasets.node_times import NodeTimesDataset


def time(node, seconds, finished):
    return {"node": node, "pipeline": "p", "seconds": seconds, "finished": finished}


def test_a_partial_run_replaces_its_own_times_and_keeps_the_others(tmp_path):
    dataset = NodeTimesDataset(path=str(tmp_path / "times"))
    dataset.save(time("p.a", 1.0, "2026-01-01T00:00:01+00:00"))
    dataset.save(time("p.b", 2.0, "2026-01-01T00:00:03+00:00"))
    dataset.save(time("p.a", 5.0, "2026-01-02T00:00:00+00:00"))
    times = dataset.load()
    assert times.to_dict("records") == [
        time("p.b", 2.0, "2026-01-01T00:00:03+00:00"),
        time("p.a", 5.0, "2026-01-02T00:00:00+00:00"),
    ]
    assert sorted(path.name for path in (tmp_path / "times").iterdir()) == ["p.a.json", "p.b.json"]


def test_there_are_no_times_before_the_first_run(tmp_path):
    times = NodeTimesDataset(path=str(tmp_path / "none")).load()
    assert list(times.columns) == ["node", "pipeline", "seconds", "finished"]
    assert times.empty
