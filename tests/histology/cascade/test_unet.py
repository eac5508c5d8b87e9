import torch

from tcga_coherent.histology.cascade.parameters import UNetParameters
from tcga_coherent.histology.cascade.unet import UNet, UNetShape


def network(patch=1, size=16):
    unet = UNetParameters(
        channels=8, multipliers=(1, 2), blocks=1, attention_sizes=(8,), patch=patch
    )
    torch.manual_seed(0)
    net = UNet(UNetShape(size, 6, 3, 3, 5, unet))
    # Branches start at zero, so that nothing would depend on anything.
    for weight in net.parameters():
        torch.nn.init.normal_(weight, std=0.2)
    return net.eval()


def inputs(n=2, size=16):
    generator = torch.Generator().manual_seed(1)
    tile, levels, code = (
        torch.randn(shape, generator=generator) for shape in ((n, 6, size, size), (n, 3), (n, 5))
    )
    return tile, levels, code, torch.zeros(n, dtype=torch.bool)


def test_the_output_has_the_size_of_the_tile_whatever_is_folded():
    for patch in (1, 2):
        assert network(patch)(*inputs()).shape == (2, 3, 16, 16)


def test_a_tile_does_not_depend_on_its_company():
    net, given = network(), inputs()
    alone = net(*(part[:1] for part in given))
    assert torch.allclose(net(*given)[:1], alone, atol=1e-5)


def test_a_hidden_code_changes_nothing_and_a_shown_one_does():
    net, (tile, levels, code, shown) = network(), inputs()
    hidden = ~shown
    assert torch.equal(net(tile, levels, code, hidden), net(tile, levels, -code, hidden))
    assert not torch.allclose(net(tile, levels, code, shown), net(tile, levels, -code, shown))


def test_every_level_of_noise_is_heard():
    net, (tile, levels, code, hidden) = network(), inputs()
    usual = net(tile, levels, code, hidden)
    for number in range(3):
        other = levels.clone()
        other[:, number] += 1
        assert not torch.allclose(net(tile, other, code, hidden), usual)


def test_a_new_network_gives_nothing_so_that_training_starts_at_the_preconditioning():
    net = UNet(UNetShape(16, 6, 3, 3, 5, UNetParameters(channels=8, multipliers=(1, 2), blocks=1)))
    assert net(*inputs()).abs().max() == 0
